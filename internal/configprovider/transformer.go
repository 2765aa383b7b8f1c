// Package configprovider resolves the placeholders of configurations, ${provider:path:key} and ${provider:key}, and has
// the providers that Kafka brings: of files, folders and environment variables.
package configprovider

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"regexp"
	"slices"
	"sort"
	"strings"
	"time"

	"github.com/gokconnect/connect"
)

// Version is the version of Kafka Connect that the providers behave like.
const Version = "4.3.0"

// Plugins returns the providers of this package.
func Plugins() []connect.Plugin {
	return []connect.Plugin{File(), Directory(), EnvVar(nil)}
}

// placeholder matches ${provider:[path:]key}, as Java's ConfigTransformer.DEFAULT_PATTERN does.
var placeholder = regexp.MustCompile(`\$\{([^}]*?):(([^}]*?):)?([^}]*?)\}`)

// HasPlaceholder reports whether a value has the form of a placeholder in it, of whatever provider.
func HasPlaceholder(value string) bool {
	return strings.Contains(value, "${") && placeholder.MatchString(value)
}

// ReverseTransform writes the raw values of a connector's configuration back into the configuration of a task that was
// made from the resolved one: each key that is in both, and whose raw value has a placeholder, gets its raw value. So
// no secret that a connector only passed on is stored. The argument stays as it is.
func ReverseTransform(raw, task connect.Config) connect.Config {
	result := maps.Clone(task)
	for key, value := range raw {
		if _, ok := result[key]; ok && HasPlaceholder(value) {
			result[key] = value
		}
	}
	return result
}

// Transformer resolves placeholders with a set of providers. It is safe for concurrent use.
type Transformer struct {
	providers map[string]connect.ConfigProvider
	lent      map[string]connect.ConfigProvider // among providers, not closed
}

// NewTransformer returns a Transformer of providers by the names that placeholders use. It owns them: Close closes them.
func NewTransformer(providers map[string]connect.ConfigProvider) *Transformer {
	return &Transformer{providers: maps.Clone(providers)}
}

// Lend adds providers that Close does not close. Call it before the first Transform.
func (t *Transformer) Lend(providers map[string]connect.ConfigProvider) {
	if t.providers == nil {
		t.providers = make(map[string]connect.ConfigProvider)
	}
	t.lent = maps.Clone(providers)
	maps.Copy(t.providers, providers)
}

// Names returns the names that config.providers lists.
func Names(worker connect.Config) []string {
	var names []string
	for name := range strings.SplitSeq(worker["config.providers"], ",") {
		if name = strings.TrimSpace(name); name != "" {
			names = append(names, name)
		}
	}
	return names
}

// Configure makes the providers that a worker's configuration names by config.providers, config.providers.NAME.class
// and config.providers.NAME.param.*, in a Transformer.
func Configure(registry *connect.Registry, worker connect.Config) (*Transformer, error) {
	t := &Transformer{providers: make(map[string]connect.ConfigProvider)}
	for _, name := range Names(worker) {
		prefix := "config.providers." + name + "."
		class := strings.TrimSpace(worker[prefix+"class"])
		if class == "" {
			return nil, t.abandon(connect.ConfigErrorf(prefix+"class", "Missing required configuration %q which has no default value.", prefix+"class"))
		}
		plugin, ok := registry.ConfigProvider(class)
		if !ok {
			return nil, t.abandon(connect.ConfigErrorf(prefix+"class", "Invalid value %s for configuration %sclass: Class %s could not be found.", class, prefix, class))
		}
		params := connect.Config{}
		for key, value := range worker {
			if param, ok := strings.CutPrefix(key, prefix+"param."); ok && param != "" {
				params[param] = value
			}
		}
		provider, err := plugin.New(params)
		if err != nil {
			return nil, t.abandon(fmt.Errorf("config provider %s: %w", name, err))
		}
		t.providers[name] = provider
	}
	return t, nil
}

func (t *Transformer) abandon(err error) error {
	_ = t.Close() // the first error is the one to show
	return err
}

// Result is a configuration with its placeholders resolved.
type Result struct {
	Config connect.Config
	// TTLs are how long the values of a path are good for, by path; a path without a limit is not in it.
	TTLs map[string]time.Duration
	// Resolved is what was put in, by the placeholder.
	Resolved map[string]string
}

// Transform resolves the placeholders in the values of a configuration; the argument stays as it is. A placeholder of
// an unknown provider, or whose key the provider does not have, is left as it is. What was put in is not looked at
// again. The error of a provider never has a value in it; one that is no *[connect.ConfigError] is returned with the
// provider's name.
func (t *Transformer) Transform(ctx context.Context, raw connect.Config) (Result, error) {
	result := Result{Config: maps.Clone(raw)}
	wanted := make(map[source]map[string]struct{})
	for _, value := range raw {
		if !strings.Contains(value, "${") {
			continue
		}
		for _, m := range placeholder.FindAllStringSubmatch(value, -1) {
			from := source{m[1], m[3]}
			if wanted[from] == nil {
				wanted[from] = make(map[string]struct{})
			}
			wanted[from][m[4]] = struct{}{}
		}
	}
	found := make(map[source]map[string]string)
	// In order, so that of two failing providers always the same one is reported.
	order := slices.Collect(maps.Keys(wanted))
	sort.Slice(order, func(i, j int) bool { return order[i].compare(order[j]) < 0 })
	for _, from := range order {
		provider, ok := t.providers[from.provider]
		if !ok {
			continue
		}
		data, err := provider.Get(ctx, from.path, slices.Sorted(maps.Keys(wanted[from])))
		if err != nil {
			if _, ok := errors.AsType[*connect.ConfigError](err); ok {
				return Result{}, err // says what is wrong in Kafka's words
			}
			return Result{}, fmt.Errorf("config provider %s: %w", from.provider, err)
		}
		if data.HasTTL && data.TTL >= 0 {
			if result.TTLs == nil {
				result.TTLs = make(map[string]time.Duration)
			}
			result.TTLs[from.path] = data.TTL
		}
		found[from] = data.Values
	}
	if len(found) == 0 {
		return result, nil
	}
	for key, value := range raw {
		if strings.Contains(value, "${") {
			result.Config[key] = result.replace(value, found)
		}
	}
	return result, nil
}

// source is where placeholders get their values: a path of a provider.
type source struct{ provider, path string }

func (s source) compare(other source) int {
	if c := strings.Compare(s.provider, other.provider); c != 0 {
		return c
	}
	return strings.Compare(s.path, other.path)
}

func (r *Result) replace(value string, found map[source]map[string]string) string {
	var out strings.Builder
	end := 0
	for _, m := range placeholder.FindAllStringSubmatchIndex(value, -1) {
		from := source{provider: value[m[2]:m[3]]}
		if m[6] >= 0 {
			from.path = value[m[6]:m[7]]
		}
		replacement, ok := found[from][value[m[8]:m[9]]]
		if !ok {
			continue
		}
		out.WriteString(value[end:m[0]])
		out.WriteString(replacement)
		if r.Resolved == nil {
			r.Resolved = make(map[string]string)
		}
		r.Resolved[value[m[0]:m[1]]] = replacement
		end = m[1]
	}
	out.WriteString(value[end:])
	return out.String()
}

// Close closes the providers that can be closed and returns their first error.
func (t *Transformer) Close() error {
	var first error
	for _, name := range slices.Sorted(maps.Keys(t.providers)) {
		closer, ok := connect.As[io.Closer](t.providers[name])
		if _, lent := t.lent[name]; lent || !ok {
			continue
		}
		if err := closer.Close(); err != nil && first == nil {
			first = fmt.Errorf("config provider %s: %w", name, err)
		}
	}
	return first
}
