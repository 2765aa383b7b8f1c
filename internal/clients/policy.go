package clients

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/gokconnect/connect"
)

const (
	policyPackage = "org.apache.kafka.connect.connector.policy."
	policySuffix  = "ConnectorClientConfigOverridePolicy"
	policyVersion = "4.3.0"
	allowlistKey  = "connector.client.config.override.allowlist"
)

// Policies returns the override policies that Kafka Connect brings: None, Principal, All and Allowlist.
func Policies() []connect.Plugin {
	fixed := func(name string, allows func(string) bool) connect.Plugin {
		return policyPlugin(name, nil, func(connect.Config) (connect.OverridePolicy, error) { return policy{name, allows}, nil })
	}
	return []connect.Plugin{
		fixed("None", func(string) bool { return false }),
		fixed("Principal", func(key string) bool {
			return key == "sasl.jaas.config" || key == "sasl.mechanism" || key == "security.protocol"
		}),
		fixed("All", func(string) bool { return true }),
		policyPlugin("Allowlist", allowlistDef(), func(cfg connect.Config) (connect.OverridePolicy, error) {
			allowed, err := Allowlist(cfg)
			if err != nil {
				return nil, err
			}
			return policy{"Allowlist", func(key string) bool { return slices.Contains(allowed, key) }}, nil
		}),
	}
}

func policyPlugin(name string, def *connect.ConfigDef, makePolicy func(connect.Config) (connect.OverridePolicy, error)) connect.Plugin {
	return connect.OverridePolicyPlugin{
		PluginInfo: connect.PluginInfo{Class: policyPackage + name + policySuffix, Aliases: []string{name}, Version: policyVersion, Config: def},
		New:        makePolicy,
	}
}

func allowlistDef() *connect.ConfigDef {
	return connect.MustConfigDef(connect.ConfigKey{
		Name: allowlistKey, Type: connect.ConfigList, Default: "", Validator: connect.AnyNonDuplicate(true, false), Importance: connect.Medium,
		Documentation: "List of client configurations that can be overridden by connectors. If empty, connectors can't override any client configurations.",
	})
}

// Allowlist returns the keys that the policy Allowlist allows, from the worker's configuration.
func Allowlist(worker connect.Config) ([]string, error) {
	parsed, err := allowlistDef().Parse(worker)
	if err != nil {
		return nil, err
	}
	return parsed.List(allowlistKey), nil
}

// policy allows some keys, whatever the connector and the client.
type policy struct {
	name   string
	allows func(key string) bool
}

func (p policy) Validate(_ context.Context, req connect.OverrideRequest) ([]connect.ConfigValue, error) {
	values := make([]connect.ConfigValue, 0, len(req.Properties))
	for _, key := range slices.Sorted(maps.Keys(req.Properties)) {
		value := connect.ConfigValue{Name: key, Value: req.Properties[key], Visible: true}
		if !p.allows(key) {
			value.Errors = []string{fmt.Sprintf("The '%s' policy does not allow '%s' to be overridden in the connector configuration.", p.name, key)}
		}
		values = append(values, value)
	}
	return values, nil
}

// Overrides returns the client properties that a connector's configuration overrides for a kind of client, without
// their prefix.
func Overrides(connector connect.Config, kind Kind) map[string]string {
	overrides := map[string]string{}
	withPrefix(overrides, connector, kind.String()+".override.")
	return overrides
}

// CheckOverrides asks the policy about the overrides for a kind of client. An error names the refused properties in
// Kafka Connect's words; the values of secret ones are hidden.
func CheckOverrides(ctx context.Context, p connect.OverridePolicy, connector connect.Config, kind Kind, of connect.OverrideRequest) error {
	of.Client, of.Properties = kind.String(), Overrides(connector, kind)
	values, err := p.Validate(ctx, of)
	if err != nil {
		return err
	}
	var refused []string
	for _, value := range values {
		if len(value.Errors) > 0 {
			refused = append(refused, describe(value))
		}
	}
	if len(refused) == 0 {
		return nil
	}
	slices.Sort(refused)
	return fmt.Errorf("Client Config Overrides not allowed [%s]", strings.Join(refused, ", "))
}

// describe prints a value as Kafka does: name, value, recommended values, errors, visible.
func describe(v connect.ConfigValue) string {
	shown := fmt.Sprint(v.Value)
	if v.Value == nil {
		shown = "null"
	} else if byName()[v.Name].Secret() {
		shown = "[hidden]"
	}
	return fmt.Sprintf("[%s,%s,[],[%s],%t]", v.Name, shown, strings.Join(v.Errors, ", "), v.Visible)
}
