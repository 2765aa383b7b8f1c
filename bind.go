package connect

import (
	"encoding"
	"errors"
	"fmt"
	"reflect"
	"strconv"
	"strings"
	"time"
)

// Bind parses a configuration into a struct whose fields name their keys in tags:
//
//	type Settings struct {
//		URL     string        `connect:"url" importance:"high" doc:"Where to send records." validate:"nonempty"`
//		Batch   int           `connect:"batch.size" default:"2000" validate:"min=1"`
//		Timeout time.Duration `connect:"timeout.ms" default:"30000"`
//		Token   *connect.Password `connect:"token"`
//		Retry   struct {
//			Max int `connect:"max" default:"3"`
//		} `connect:"retry."`
//		Labels map[string]string `connect:"label."`
//	}
//
// The tag connect is the key; a field without it is left alone. The other tags are
//
//	default     the default as text; without it the key is required, unless the field is a pointer or the key
//	            is followed by ",optional": then it is null by default, which leaves the field as it is
//	validate    rules, separated by commas: min=N, max=N, in=A|B|C, anycase=A|B|C, maxitems=N, nonempty,
//	            nocontrol, unique, regex
//	importance  high, medium (the default) or low
//	doc, group, order, width, display, dependents (separated by commas), type (class, for a string), internal (true)
//
// Fields are bool, string, int and int32 (INT), int16 (SHORT), int64 (LONG), float64 (DOUBLE), []string (LIST),
// [Password], [time.Duration] (LONG, in milliseconds), types made of these, types with UnmarshalText (STRING), and
// pointers to all of them. A struct field stands for its own keys, with the prefix that its tag gives or, embedded or
// with an empty tag, without one. A map[string]string takes all keys that begin with its tag, without it.
//
// If *T has a method Validate() error, Bind calls it last. The error of a configuration that is not valid is a
// *[ConfigError] or what Validate returned. Any other error says that T can't be bound; [ConfigDefOf] finds it too.
func Bind[T any](cfg Config) (T, error) {
	var target T
	b, err := bindingOf(reflect.TypeFor[T]())
	if err != nil {
		return target, err
	}
	def, err := NewConfigDef(b.keys...)
	if err != nil {
		return target, err
	}
	parsed, err := def.Parse(cfg)
	if err != nil {
		return target, err
	}
	for _, set := range b.set {
		if err := set(reflect.ValueOf(&target).Elem(), parsed); err != nil {
			return target, err
		}
	}
	if v, ok := any(&target).(interface{ Validate() error }); ok {
		err = v.Validate()
	}
	return target, err
}

// ConfigDefOf returns the definition that the tags of T give; see [Bind]. It fails if a tag is not right.
func ConfigDefOf[T any]() (*ConfigDef, error) {
	b, err := bindingOf(reflect.TypeFor[T]())
	if err != nil {
		return nil, err
	}
	return NewConfigDef(b.keys...)
}

// MustConfigDefOf is [ConfigDefOf] for a type whose tags are known to be right. It panics otherwise.
func MustConfigDefOf[T any]() *ConfigDef {
	d, err := ConfigDefOf[T]()
	if err != nil {
		panic("connect.MustConfigDefOf: " + err.Error())
	}
	return d
}

// binding is how a struct's fields are filled.
type binding struct {
	keys []ConfigKey
	set  []func(target reflect.Value, p *ParsedConfig) error
}

var (
	passwordType = reflect.TypeFor[Password]()
	durationType = reflect.TypeFor[time.Duration]()
	textType     = reflect.TypeFor[encoding.TextUnmarshaler]()
)

func bindingOf(t reflect.Type) (*binding, error) {
	if t.Kind() != reflect.Struct {
		return nil, fmt.Errorf("bind configuration to %v: it is not a struct", t)
	}
	b := &binding{}
	if err := b.addStruct(t, "", nil, nil); err != nil {
		return nil, fmt.Errorf("bind configuration to %v: %w", t, err)
	}
	return b, nil
}

// addStruct adds the fields of a struct that stands at path in the target.
func (b *binding) addStruct(t reflect.Type, prefix string, path []int, within []reflect.Type) error {
	for _, outer := range within {
		if outer == t {
			return fmt.Errorf("%v contains itself", t)
		}
	}
	within = append(within[:len(within):len(within)], t)
	for i := range t.NumField() {
		field := t.Field(i)
		tag, tagged := field.Tag.Lookup("connect")
		name, option, _ := strings.Cut(tag, ",")
		nested := field.Type.Kind() == reflect.Struct && field.Type != passwordType && !reflect.PointerTo(field.Type).Implements(textType)
		if !tagged && !(nested && field.Anonymous) || name == "-" {
			continue
		}
		at := append(path[:len(path):len(path)], i)
		var err error
		switch {
		case !field.IsExported() && !field.Anonymous:
			err = errors.New("it is not exported")
		case nested:
			err = b.addStruct(field.Type, prefix+name, at, within)
		case field.Type.Kind() == reflect.Map:
			err = b.addMap(field.Type, prefix+name, at)
		default:
			err = b.addField(field, prefix, name, option, at)
		}
		if err != nil {
			return fmt.Errorf("field %s: %w", field.Name, err)
		}
	}
	return nil
}

// addMap adds a map that takes all keys with a prefix.
func (b *binding) addMap(t reflect.Type, prefix string, path []int) error {
	if t.Key().Kind() != reflect.String || t.Elem().Kind() != reflect.String {
		return fmt.Errorf("a map must be of strings, not %v", t)
	}
	if prefix == "" {
		return errors.New("a map needs a prefix")
	}
	b.set = append(b.set, func(target reflect.Value, p *ParsedConfig) error {
		found := p.GivenWithPrefix(prefix)
		m := reflect.MakeMapWithSize(t, len(found))
		for key, value := range found {
			m.SetMapIndex(reflect.ValueOf(key).Convert(t.Key()), reflect.ValueOf(value).Convert(t.Elem()))
		}
		target.FieldByIndex(path).Set(m)
		return nil
	})
	return nil
}

func (b *binding) addField(field reflect.StructField, prefix, name, option string, path []int) error {
	if name == "" {
		return errors.New("its tag has no key")
	}
	if option != "" && option != "optional" {
		return fmt.Errorf("unknown option %q, there is only optional", option)
	}
	t := field.Type
	if t.Kind() == reflect.Pointer {
		t, option = t.Elem(), "optional"
	}
	typ, convert, err := fieldType(t)
	if err != nil {
		return err
	}
	tag := field.Tag
	key := ConfigKey{
		Name: prefix + name, Type: typ, Default: Required, Documentation: tag.Get("doc"), Group: tag.Get("group"),
		DisplayName: tag.Get("display"), Internal: tag.Get("internal") == "true",
	}
	if option == "optional" {
		key.Default = nil
	}
	if def, ok := tag.Lookup("default"); ok {
		key.Default = def
	}
	if err := key.decorate(tag, prefix); err != nil {
		return err
	}
	rules, err := tagValidators(tag.Get("validate"), typ)
	if err != nil {
		return err
	}
	if typ == ConfigString && reflect.PointerTo(t).Implements(textType) {
		rules = append(rules, textValidator{t})
	}
	switch {
	case len(rules) == 1:
		key.Validator = rules[0]
	case len(rules) > 1:
		key.Validator = AllOf(rules...)
	}
	if key.Default == nil && key.Validator != nil {
		if list, ok := key.Validator.(*validList); ok {
			list.nullAllowed = true
		} else {
			key.Validator = OrNull(key.Validator)
		}
	}
	b.keys = append(b.keys, key)
	b.set = append(b.set, func(target reflect.Value, p *ParsedConfig) error {
		value := p.read(key.Name)
		if value == nil {
			return nil
		}
		into := target.FieldByIndex(path)
		if into.Kind() == reflect.Pointer {
			into.Set(reflect.New(t))
			into = into.Elem()
		}
		return convert(key.Name, value, into)
	})
	return nil
}

// fieldType returns the type of the key for a Go type, and how a parsed value is stored.
func fieldType(t reflect.Type) (ConfigType, func(key string, value any, into reflect.Value) error, error) {
	store := func(_ string, value any, into reflect.Value) error {
		into.Set(reflect.ValueOf(value).Convert(t))
		return nil
	}
	switch {
	case t == passwordType:
		return ConfigPassword, store, nil
	case t == durationType:
		return ConfigLong, func(key string, value any, into reflect.Value) error {
			ms := value.(int64)
			if d := time.Duration(ms) * time.Millisecond; d.Milliseconds() == ms {
				into.SetInt(int64(d))
				return nil
			}
			return InvalidValue(key, value, "Value must be a number of milliseconds within 292 years")
		}, nil
	case reflect.PointerTo(t).Implements(textType):
		return ConfigString, func(key string, value any, into reflect.Value) error {
			if err := into.Addr().Interface().(encoding.TextUnmarshaler).UnmarshalText([]byte(value.(string))); err != nil {
				return InvalidValue(key, value, err.Error())
			}
			return nil
		}, nil
	}
	switch t.Kind() {
	case reflect.Bool:
		return ConfigBoolean, store, nil
	case reflect.String:
		return ConfigString, store, nil
	case reflect.Int, reflect.Int32:
		return ConfigInt, store, nil
	case reflect.Int16:
		return ConfigShort, store, nil
	case reflect.Int64:
		return ConfigLong, store, nil
	case reflect.Float64:
		return ConfigDouble, store, nil
	case reflect.Slice:
		if t.Elem().Kind() == reflect.String {
			return ConfigList, func(_ string, value any, into reflect.Value) error {
				texts := value.([]string)
				list := reflect.MakeSlice(t, len(texts), len(texts))
				for i := range texts {
					list.Index(i).SetString(texts[i])
				}
				into.Set(list)
				return nil
			}, nil
		}
	}
	return 0, nil, fmt.Errorf("no configuration type fits %v", t)
}

// decorate reads the tags that are for documentation, and the type.
func (k *ConfigKey) decorate(tag reflect.StructTag, prefix string) error {
	switch importance := tag.Get("importance"); importance {
	case "", "medium":
		k.Importance = Medium
	case "high":
		k.Importance = High
	case "low":
		k.Importance = Low
	default:
		return fmt.Errorf("importance %q is none of high, medium, low", importance)
	}
	switch width := tag.Get("width"); width {
	case "", "none":
	case "short":
		k.Width = WidthShort
	case "medium":
		k.Width = WidthMedium
	case "long":
		k.Width = WidthLong
	default:
		return fmt.Errorf("width %q is none of short, medium, long", width)
	}
	if order := tag.Get("order"); order != "" {
		var err error
		if k.Order, err = strconv.Atoi(order); err != nil {
			return fmt.Errorf("order %q is not a number", order)
		}
	}
	if dependents := tag.Get("dependents"); dependents != "" {
		for _, name := range splitList(trimJava(dependents)) {
			k.Dependents = append(k.Dependents, prefix+name)
		}
	}
	switch typ := tag.Get("type"); {
	case typ == "class" && k.Type == ConfigString:
		k.Type = ConfigClass
	case typ != "":
		return fmt.Errorf("type %q: only a string can have a type, which is class", typ)
	}
	return nil
}

// tagValidators returns the validators of a validate tag.
func tagValidators(tag string, typ ConfigType) ([]ConfigValidator, error) {
	if tag == "" {
		return nil, nil
	}
	var rules []ConfigValidator
	var minText, maxText string
	for _, rule := range strings.Split(tag, ",") {
		name, arg, _ := strings.Cut(strings.TrimSpace(rule), "=")
		isList, isText := typ == ConfigList, typ == ConfigString || typ == ConfigPassword || typ == ConfigClass
		fits := true
		switch name {
		case "min", "max":
			fits = !isList && !isText && typ != ConfigBoolean
			if name == "min" {
				minText = arg
			} else {
				maxText = arg
			}
		case "in":
			if fits = isList || typ == ConfigString; isList {
				rules = append(rules, ValidList(strings.Split(arg, "|")...))
			} else {
				rules = append(rules, ValidString(strings.Split(arg, "|")...))
			}
		case "anycase":
			fits = typ == ConfigString
			rules = append(rules, CaseInsensitiveValidString(strings.Split(arg, "|")...))
		case "maxitems":
			n, err := strconv.Atoi(arg)
			if err != nil {
				return nil, fmt.Errorf("validate rule %q needs a number", rule)
			}
			fits = isList
			rules = append(rules, ListSize(n))
		case "nonempty":
			if fits = isList || isText; isList {
				rules = append(rules, AnyNonDuplicate(false, false))
			} else {
				rules = append(rules, NonEmptyString())
			}
		case "unique":
			fits = isList
			rules = append(rules, AnyNonDuplicate(true, false))
		case "nocontrol":
			fits = typ == ConfigString
			rules = append(rules, NonEmptyStringWithoutControlChars())
		case "regex":
			fits = typ == ConfigString
			rules = append(rules, ValidRegex(nil))
		default:
			return nil, fmt.Errorf("unknown validate rule %q", rule)
		}
		if !fits {
			return nil, fmt.Errorf("validate rule %q does not fit a key of type %v", rule, typ)
		}
	}
	if minText == "" && maxText == "" {
		return rules, nil
	}
	bounds, err := tagRange(minText, maxText, typ)
	return append(rules, bounds), err
}

func tagRange(minText, maxText string, typ ConfigType) (ConfigValidator, error) {
	r := &numberRange{hasMin: minText != "", minText: minText, hasMax: maxText != "", maxText: maxText}
	for _, bound := range []struct {
		text string
		into *float64
	}{{minText, &r.min}, {maxText, &r.max}} {
		if bound.text == "" {
			continue
		}
		n, err := typ.parse("validate", bound.text, nil)
		if err != nil {
			return nil, err
		}
		*bound.into, _ = toFloat64(n)
	}
	r.text = "[" + minText + ",...]"
	switch {
	case minText == "":
		r.text = "[...," + maxText + "]"
	case maxText != "":
		r.text = "[" + minText + ",...," + maxText + "]"
	}
	return r, nil
}

// textValidator accepts what a type with UnmarshalText accepts.
type textValidator struct{ t reflect.Type }

func (v textValidator) String() string { return "" }

func (v textValidator) Validate(key string, value any) error {
	text, ok := value.(string)
	if !ok {
		return nil
	}
	if err := reflect.New(v.t).Interface().(encoding.TextUnmarshaler).UnmarshalText([]byte(text)); err != nil {
		return InvalidValue(key, value, err.Error())
	}
	return nil
}
