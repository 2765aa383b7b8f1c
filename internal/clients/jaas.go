package clients

import (
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"
)

// loginModule is the one entry of sasl.jaas.config.
type loginModule struct {
	class   string
	options map[string]string
}

// parseJAAS reads the value of sasl.jaas.config: a login module, its control flag, options and a semicolon. Its errors
// never quote the text, which holds passwords. It takes all that Java takes, and values with any character without quotes.
func parseJAAS(text string) (loginModule, error) {
	t := &jaasTokens{rest: text}
	module := loginModule{options: map[string]string{}}
	class, _, err := t.next()
	if err != nil {
		return module, err
	}
	if class == "" {
		return module, errors.New("Login module not specified in JAAS config")
	}
	module.class = class
	flag, _, err := t.next()
	if err != nil {
		return module, err
	}
	switch strings.ToUpper(flag) {
	case "REQUIRED", "REQUISITE", "SUFFICIENT", "OPTIONAL":
	case "":
		return module, errors.New("Login module control flag not specified in JAAS config")
	default:
		return module, errors.New("Invalid login module control flag in JAAS config")
	}
	for n := 1; ; n++ {
		key, quoted, err := t.next()
		switch {
		case err != nil:
			return module, err
		case key == "" && !quoted:
			return module, errors.New("JAAS config entry not terminated by semi-colon")
		case key == ";" && !quoted:
			if more, _, err := t.next(); more != "" || err != nil {
				return module, errors.New("JAAS config property contains more than one login module, should be 1 module")
			}
			return module, nil
		}
		equals, _, err := t.next()
		if err != nil {
			return module, err
		}
		value, quoted, err := t.next()
		if err != nil {
			return module, err
		}
		if equals != "=" || !quoted && (value == "" || value == "=" || value == ";") {
			return module, fmt.Errorf("Value not specified for key %d in JAAS config", n)
		}
		module.options[key] = value
	}
}

// jaasTokens cuts a JAAS configuration into words, quoted words, "=" and ";". Comments are skipped.
type jaasTokens struct{ rest string }

func (t *jaasTokens) next() (token string, quoted bool, err error) {
	for {
		t.rest = strings.TrimLeft(t.rest, " \t\r\n")
		switch {
		case strings.HasPrefix(t.rest, "//"):
			_, t.rest, _ = strings.Cut(t.rest, "\n")
			continue
		case strings.HasPrefix(t.rest, "/*"):
			_, t.rest, _ = strings.Cut(t.rest[2:], "*/")
			continue
		case t.rest == "":
			return "", false, nil
		}
		break
	}
	switch c := t.rest[0]; c {
	case '=', ';':
		t.rest = t.rest[1:]
		return string(c), false, nil
	case '"', '\'':
		token, err = t.quoted(c)
		return token, true, err
	}
	end := strings.IndexAny(t.rest, " \t\r\n=;\"'")
	if end < 0 {
		end = len(t.rest)
	}
	token, t.rest = t.rest[:end], t.rest[end:]
	return token, false, nil
}

func (t *jaasTokens) quoted(quote byte) (string, error) {
	var out []byte
	for i := 1; i < len(t.rest); i++ {
		switch c := t.rest[i]; {
		case c == quote:
			t.rest = t.rest[i+1:]
			return string(out), nil
		case c == '\\' && i+1 < len(t.rest):
			escaped, length := unescapeJAAS(t.rest[i+1:])
			out = utf8.AppendRune(out, escaped)
			i += length
		default:
			out = append(out, c)
		}
	}
	return "", errors.New("a quoted value in JAAS config has no end")
}

// unescapeJAAS returns the character of an escape, and how long what follows the backslash is. Escapes are Java's: those
// of C, and up to three octal digits.
func unescapeJAAS(s string) (rune, int) {
	if n := strings.IndexByte("abfnrtv", s[0]); n >= 0 {
		return rune("\a\b\f\n\r\t\v"[n]), 1
	}
	value, length := rune(0), 0
	for length < min(3, len(s)) && '0' <= s[length] && s[length] <= '7' && value*8+7 <= 0o377 {
		value, length = value*8+rune(s[length]-'0'), length+1
	}
	if length > 0 {
		return value, length
	}
	return utf8.DecodeRuneInString(s)
}
