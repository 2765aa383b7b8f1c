package cluster

import (
	"net/http"
	"strings"

	"github.com/gokconnect/connect"
)

// RESTExtension adds to the REST API what Kafka Connect's ConnectRestExtension does: authentication, authorization, audit,
// paths of its own.
type RESTExtension struct {
	// Class is the name by which rest.extension.classes of Worker asks for the extension; the part after the last dot does too.
	// One without a name is always there.
	Class string
	// Wrap returns the handler that is to answer in place of next, which answers what the extension lets pass. It is called once
	// each for [Runtime.Handler] and [Runtime.AdminHandler], whenever they are called; the runtime is there to be asked for
	// connectors, their configurations and states, once it runs. The handler is called concurrently.
	//
	// Requests between the instances come through it too: those of a client that are sent on, with the client's Authorization
	// header alone, and those that the instances sign with the session key and that should pass: POST
	// /connectors/NAME/tasks and PUT /connectors/NAME/fence.
	Wrap func(rt *Runtime, next http.Handler) http.Handler
}

// named reports whether a class of rest.extension.classes means the extension of that name.
func named(extension, class string) bool {
	return class != "" && (class == extension || strings.HasSuffix(extension, "."+class))
}

// chooseExtensions returns the extensions that the configuration asks for, the outermost first.
func chooseExtensions(cfg Config, classes []string) ([]RESTExtension, error) {
	var chosen []RESTExtension
	for _, e := range cfg.RESTExtensions {
		if e.Wrap == nil {
			return nil, connect.ConfigErrorf("RESTExtensions", "cluster.Config: RESTExtensions: extension %q has no Wrap", e.Class)
		}
		if e.Class == "" {
			chosen = append(chosen, e)
		}
	}
next:
	for _, class := range classes {
		known := []string{basicAuth}
		for _, e := range cfg.RESTExtensions {
			if named(e.Class, class) {
				chosen = append(chosen, e)
				continue next
			}
			if e.Class != "" {
				known = append(known, e.Class)
			}
		}
		switch {
		case !named(basicAuth, class):
			return nil, connect.ConfigErrorf("rest.extension.classes", "Invalid value %s for configuration rest.extension.classes: the extensions that there are: %s", class, strings.Join(known, ", "))
		case cfg.Authenticate == nil:
			return nil, connect.ConfigErrorf("rest.extension.classes", "rest.extension.classes asks for credentials, and Config.Authenticate is nil: nobody can check them")
		}
	}
	return chosen, nil
}

// extended returns the handler with the extensions around it.
func (rt *Runtime) extended(h http.Handler) http.Handler {
	for i := len(rt.extensions) - 1; i >= 0; i-- {
		h = rt.extensions[i].Wrap(rt, h)
	}
	return h
}
