package connect

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"unicode"
)

// ConfigValidator checks the value of a key. It is called with the parsed value, possibly concurrently; on validation
// also with nil, when there is no value or the text could not be parsed. It returns nil or an error whose text names the
// key: [InvalidValue] makes one. String describes the valid values for documentation.
//
// The package has validators for the usual cases; [ConfigCheck] makes one of a function.
type ConfigValidator interface {
	Validate(key string, value any) error
	String() string
}

// ConfigCheck returns a function as a [ConfigValidator], which documentation describes as description.
func ConfigCheck(description string, check func(key string, value any) error) ConfigValidator {
	return &configCheck{description, check}
}

type configCheck struct {
	description string
	check       func(key string, value any) error
}

func (c *configCheck) Validate(key string, value any) error { return c.check(key, value) }
func (c *configCheck) String() string                       { return c.description }

// ConfigNumber is a type of number that bounds the values of a key.
type ConfigNumber interface {
	~int | ~int16 | ~int32 | ~int64 | ~float64
}

// AtLeast accepts numbers of at least min. It refuses nil.
func AtLeast[N ConfigNumber](min N) ConfigValidator {
	return &numberRange{hasMin: true, min: float64(min), minText: numberText(min), text: "[" + numberText(min) + ",...]"}
}

// Between accepts numbers from min to max, both included. It refuses nil.
func Between[N ConfigNumber](min, max N) ConfigValidator {
	return &numberRange{
		hasMin: true, min: float64(min), minText: numberText(min), hasMax: true, max: float64(max), maxText: numberText(max),
		text: "[" + numberText(min) + ",...," + numberText(max) + "]",
	}
}

func numberText[N ConfigNumber](n N) string {
	if f := float64(n); N(1)/N(2) != 0 { // a floating point type
		return FormatValue(f)
	}
	return strconv.FormatInt(int64(n), 10)
}

type numberRange struct {
	min, max               float64
	hasMin, hasMax         bool
	minText, maxText, text string
}

func (r *numberRange) String() string { return r.text }

func (r *numberRange) Validate(key string, value any) error {
	n, ok := toFloat64(value)
	switch {
	case value == nil:
		return InvalidValue(key, value, "Value must be non-null")
	case !ok:
		return InvalidValue(key, value, "Value must be a number")
	case r.hasMin && n < r.min:
		return InvalidValue(key, value, "Value must be at least "+r.minText)
	case r.hasMax && n > r.max:
		return InvalidValue(key, value, "Value must be no more than "+r.maxText)
	}
	return nil
}

// ValidString accepts these strings and no other. It refuses nil; see [OrNull].
func ValidString(valid ...string) ConfigValidator { return &validString{valid} }

type validString struct{ valid []string }

func (v *validString) String() string { return "[" + strings.Join(v.valid, ", ") + "]" }

func (v *validString) Validate(key string, value any) error {
	if s, ok := value.(string); ok {
		for _, valid := range v.valid {
			if s == valid {
				return nil
			}
		}
	}
	return InvalidValue(key, value, "String must be one of: "+strings.Join(v.valid, ", "))
}

// CaseInsensitiveValidString accepts these strings in any case. It refuses nil.
func CaseInsensitiveValidString(valid ...string) ConfigValidator {
	upper := make([]string, 0, len(valid))
	seen := make(map[string]bool, len(valid))
	for _, v := range valid {
		if v = strings.ToUpper(v); !seen[v] {
			seen[v] = true
			upper = append(upper, v)
		}
	}
	return &validStringFold{javaHashOrder(upper), seen}
}

type validStringFold struct {
	upper []string
	set   map[string]bool
}

func (v *validStringFold) String() string {
	return "(case insensitive) [" + strings.Join(v.upper, ", ") + "]"
}

func (v *validStringFold) Validate(key string, value any) error {
	if s, ok := value.(string); ok && v.set[strings.ToUpper(s)] {
		return nil
	}
	return InvalidValue(key, value, "String must be one of (case insensitive): "+strings.Join(v.upper, ", "))
}

// NonNull refuses nil alone.
func NonNull() ConfigValidator { return nonNull{} }

type nonNull struct{}

func (nonNull) String() string { return "non-null string" }

func (nonNull) Validate(key string, value any) error {
	if value == nil {
		return InvalidValue(key, value, "entry must be non null")
	}
	return nil
}

// NonEmptyString refuses the empty string, and the empty [Password]. It accepts nil.
func NonEmptyString() ConfigValidator { return nonEmptyString{} }

type nonEmptyString struct{}

func (nonEmptyString) String() string { return "non-empty string" }

func (nonEmptyString) Validate(key string, value any) error {
	if value == "" || value == (Password{}) {
		return InvalidValue(key, value, "String must be non-empty")
	}
	return nil
}

// NonEmptyStringWithoutControlChars refuses the empty string and strings with control characters. It accepts nil.
func NonEmptyStringWithoutControlChars() ConfigValidator { return nonControlString{} }

type nonControlString struct{}

func (nonControlString) String() string { return "non-empty string without ISO control characters" }

func (nonControlString) Validate(key string, value any) error {
	s, ok := value.(string)
	if !ok {
		return nil
	}
	if s == "" {
		return InvalidValue(key, value, "String may not be empty")
	}
	var found []string
	for _, r := range s {
		if unicode.IsControl(r) {
			found = append(found, strconv.Itoa(int(r)))
		}
	}
	if found != nil {
		return InvalidValue(key, value, "String may not contain control sequences but had the following ASCII chars: "+strings.Join(found, ", "))
	}
	return nil
}

// ListSize accepts lists of at most max items. It refuses nil.
func ListSize(max int) ConfigValidator { return listSize(max) }

type listSize int

func (max listSize) String() string {
	return fmt.Sprintf("List containing maximum of %d elements", int(max))
}

func (max listSize) Validate(key string, value any) error {
	items, ok := configItems(value)
	switch {
	case !ok:
		return InvalidValue(key, value, "Value must be a list")
	case len(items) > int(max):
		return InvalidValue(key, value, fmt.Sprintf("exceeds maximum list size of [%d].", int(max)))
	}
	return nil
}

// ValidList accepts lists of these items, each at most once, and the empty list. It refuses nil. Parsing removes
// duplicates; only validation complains of them. The same is true of [ValidListNonEmpty] and [AnyNonDuplicate].
func ValidList(valid ...string) ConfigValidator {
	return &validList{valid: validString{valid}, emptyAllowed: true}
}

// ValidListNonEmpty is [ValidList] without the empty list.
func ValidListNonEmpty(valid ...string) ConfigValidator {
	return &validList{valid: validString{valid}}
}

// AnyNonDuplicate accepts lists of any items that are not empty, each at most once.
func AnyNonDuplicate(emptyAllowed, nullAllowed bool) ConfigValidator {
	return &validList{emptyAllowed: emptyAllowed, nullAllowed: nullAllowed}
}

type validList struct {
	valid                     validString
	emptyAllowed, nullAllowed bool
}

func (v *validList) String() string {
	if len(v.valid.valid) == 0 {
		return ""
	}
	return v.valid.String()
}

func (v *validList) Validate(key string, value any) error {
	if value == nil {
		if v.nullAllowed {
			return nil
		}
		return ConfigErrorf(key, "Configuration '%s' values must not be null.", key)
	}
	items, ok := configItems(value)
	if !ok {
		return InvalidValue(key, value, "Value must be a list")
	}
	if len(items) == 0 && !v.emptyAllowed {
		valid := v.String()
		if valid == "" {
			valid = "any non-empty value"
		}
		return ConfigErrorf(key, "Configuration '%s' must not be empty. Valid values include: %s", key, valid)
	}
	if len(distinct(items)) < len(items) {
		return ConfigErrorf(key, "Configuration '%s' values must not be duplicated.", key)
	}
	for _, item := range items {
		if item == "" {
			return ConfigErrorf(key, "Configuration '%s' values must not be empty.", key)
		}
		if _, ok := item.(string); ok && len(v.valid.valid) > 0 {
			if err := v.valid.Validate(key, item); err != nil {
				return err
			}
		}
	}
	return nil
}

// dedupe returns a list without the items that were there before.
func (v *validList) dedupe(value any) any {
	switch list := value.(type) {
	case []string:
		items, _ := configItems(list)
		if kept := distinct(items); len(kept) < len(items) {
			texts := make([]string, len(kept))
			for i := range kept {
				texts[i] = kept[i].(string)
			}
			return texts
		}
	case []any:
		return distinct(list)
	}
	return value
}

func distinct(items []any) []any {
	seen := NewMapValue(len(items))
	for _, item := range items {
		seen.Set(item, nil)
	}
	kept := make([]any, 0, seen.Len())
	for item := range seen.All() {
		kept = append(kept, item)
	}
	return kept
}

// AllOf accepts what all of the validators accept. The first error counts.
func AllOf(validators ...ConfigValidator) ConfigValidator { return allOf(validators) }

type allOf []ConfigValidator

func (a allOf) String() string {
	var b strings.Builder
	for _, v := range a {
		if b.Len() > 0 {
			b.WriteString(", ")
		}
		b.WriteString(v.String())
	}
	return b.String()
}

func (a allOf) Validate(key string, value any) error {
	for _, v := range a {
		if err := v.Validate(key, value); err != nil {
			return err
		}
	}
	return nil
}

// OrNull accepts nil and what v accepts.
func OrNull(v ConfigValidator) ConfigValidator { return orNull{v} }

type orNull struct{ ConfigValidator }

func (o orNull) Validate(key string, value any) error {
	if value == nil {
		return nil
	}
	return o.ConfigValidator.Validate(key, value)
}

// ValidRegex accepts regular expressions that compile accepts, which is [regexp.Compile] if nil. It accepts nil.
func ValidRegex(compile func(pattern string) error) ConfigValidator {
	if compile == nil {
		compile = func(pattern string) error {
			_, err := regexp.Compile(pattern)
			return err
		}
	}
	return ConfigCheck("valid regex", func(key string, value any) error {
		pattern, ok := value.(string)
		if !ok {
			return nil
		}
		if err := compile(pattern); err != nil {
			return InvalidValue(key, value, "Invalid regex: "+err.Error())
		}
		return nil
	})
}
