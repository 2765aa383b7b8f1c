package cluster_test

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/gokconnect/connect"
	"github.com/gokconnect/connect/cluster"
)

var update = flag.Bool("update", false, "write docs/plugins.md anew")

// TestPluginDocs keeps docs/plugins.md as the plugins' own definitions are.
func TestPluginDocs(t *testing.T) {
	const path = "../docs/plugins.md"
	want := pluginDocs()
	if *update {
		if err := os.WriteFile(path, want, 0o666); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Error("docs/plugins.md is not as the plugins are: go test ./cluster -run TestPluginDocs -update")
	}
}

func pluginDocs() []byte {
	reg := new(connect.Registry).MustAdd(cluster.Builtins()...)
	var b bytes.Buffer
	b.WriteString("# Built-in plugins\n\nEvery runtime has these, under the names that Kafka Connect 4.3.0 gives them. The page is made from their definitions:\n" +
		"`go test ./cluster -run TestPluginDocs -update`.\n")
	for _, kind := range []struct {
		kind        connect.Kind
		title, text string
	}{
		{connect.KindConverter, "Converters", "Named by `key.converter` and `value.converter`; their keys stand behind that prefix, as in `value.converter.schemas.enable`."},
		{connect.KindHeaderConverter, "Header converters", "Named by `header.converter`."},
		{connect.KindTransformation, "Transformations", "Named by `transforms.ALIAS.type`, in the order of the aliases in `transforms`. Each has `predicate` and `negate` besides its own keys: " +
			"with a predicate it is applied to the records that the predicate is true for, or false with `negate=true`. `$Key` and `$Value` say which part of the record is meant; classes with them have no alias, as in Kafka Connect."},
		{connect.KindPredicate, "Predicates", "Named by `predicates.ALIAS.type`; `predicates` lists the aliases."},
		{connect.KindConfigProvider, "Config providers", "Named by `config.providers.ALIAS.class` of the worker; their keys stand behind `config.providers.ALIAS.param.`. See [configuration.md](configuration.md)."},
		{connect.KindOverridePolicy, "Override policies", "Named by `connector.client.config.override.policy` of the worker: which client properties a connector may override."},
	} {
		fmt.Fprintf(&b, "\n## %s\n\n%s\n", kind.title, kind.text)
		list := slices.DeleteFunc(reg.List(kind.kind), func(p connect.PluginInfo) bool { return p.Hidden })
		for i, p := range list {
			base, part, nested := strings.Cut(p.Class, "$")
			if i > 0 && nested && strings.HasPrefix(list[i-1].Class, base+"$") {
				continue
			}
			name := base[strings.LastIndexByte(base, '.')+1:]
			fmt.Fprintf(&b, "\n### %s\n\nClass `%s`", name, p.Class)
			if nested && i+1 < len(list) && strings.HasPrefix(list[i+1].Class, base+"$") {
				_, other, _ := strings.Cut(list[i+1].Class, "$")
				fmt.Fprintf(&b, " or `$%s` in the place of `$%s`", other, part)
			}
			var aliases []string
			for _, alias := range []string{name, strings.TrimSuffix(strings.TrimSuffix(name, "HeaderConverter"), "Converter"), strings.TrimSuffix(name, "ConfigProvider"),
				strings.TrimSuffix(name, "ConnectorClientConfigOverridePolicy")} {
				found, ok := reg.Lookup(kind.kind, alias, func(string) bool { return true })
				if ok && found != nil && !nested && !slices.Contains(aliases, "`"+alias+"`") {
					aliases = append(aliases, "`"+alias+"`")
				}
			}
			if aliases != nil {
				fmt.Fprintf(&b, ", alias %s", strings.Join(aliases, ", "))
			}
			b.WriteString(".\n")
			if p.Config != nil && len(p.Config.Keys()) > 0 {
				b.WriteString(strings.ReplaceAll("\n"+strings.TrimSpace(p.Config.Markdown()), "\n### ", "\n#### ") + "\n")
			}
		}
	}
	return b.Bytes()
}
