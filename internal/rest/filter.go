package rest

import (
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// HeaderRule is a header that is added to every answer.
type HeaderRule struct {
	Action string // set, add, setDate or addDate
	Name   string
	Value  string // for a date the distance from now in ms
}

func (r HeaderRule) apply(h http.Header) {
	value := r.Value
	if strings.HasSuffix(r.Action, "Date") {
		ms, err := strconv.ParseInt(value, 10, 64)
		if err != nil {
			return
		}
		value = time.Now().Add(time.Duration(ms) * time.Millisecond).UTC().Format(http.TimeFormat)
	}
	if strings.HasPrefix(r.Action, "set") {
		h.Set(r.Name, value)
	} else {
		h.Add(r.Name, value)
	}
}

// cors answers for requests from pages of other origins.
type cors struct {
	any     bool
	origins []string // in lower case
	like    []*regexp.Regexp
	methods string
}

// newCORS returns nil if no other origin is allowed.
func newCORS(origins, methods string) *cors {
	if strings.TrimSpace(origins) == "" {
		return nil
	}
	c := &cors{methods: "GET,POST,HEAD"}
	if list := fields(methods); len(list) > 0 {
		c.methods = strings.Join(list, ",")
	}
	for _, o := range fields(origins) {
		switch o = strings.ToLower(o); {
		case o == "*":
			c.any = true
		case strings.Contains(o, "*"):
			c.like = append(c.like, regexp.MustCompile("^"+strings.ReplaceAll(regexp.QuoteMeta(o), `\*`, ".*")+"$"))
		default:
			c.origins = append(c.origins, o)
		}
	}
	return c
}

// fields splits a list at its commas.
func fields(list string) []string {
	var out []string
	for f := range strings.SplitSeq(list, ",") {
		if f = strings.TrimSpace(f); f != "" {
			out = append(out, f)
		}
	}
	return out
}

// apply sets the headers of the answer; the request goes on in any case.
func (c *cors) apply(h http.Header, r *http.Request) {
	h.Add("Vary", "Origin")
	origin := r.Header.Get("Origin")
	if origin == "" || !c.allows(origin) {
		return
	}
	h.Set("Access-Control-Allow-Origin", origin)
	if r.Method == http.MethodOptions && r.Header.Get("Access-Control-Request-Method") != "" {
		h.Set("Access-Control-Allow-Methods", c.methods)
		h.Set("Access-Control-Allow-Headers", "Content-Type")
		h.Set("Access-Control-Max-Age", "60")
	}
}

// allows reports whether one of the origins of the header is allowed.
func (c *cors) allows(origin string) bool {
	if c.any {
		return true
	}
	for _, o := range strings.Fields(strings.ToLower(origin)) {
		if slices.Contains(c.origins, o) || slices.ContainsFunc(c.like, func(re *regexp.Regexp) bool { return re.MatchString(o) }) {
			return true
		}
	}
	return false
}
