package connect

import (
	"html"
	"strconv"
	"strings"
	"time"
)

// Markdown returns the definition as a table in Markdown, with a heading for each group. Internal keys are left out.
func (d *ConfigDef) Markdown() string {
	const header = "| Name | Description | Type | Default | Valid values | Importance |\n|---|---|---|---|---|---|\n"
	var b strings.Builder
	group, open := "", false
	for _, k := range d.Sorted() {
		if k.Internal {
			continue
		}
		if !open || k.Group != group {
			if b.Len() > 0 {
				b.WriteByte('\n')
			}
			if group, open = k.Group, true; group != "" {
				b.WriteString("### " + markdownText(group) + "\n\n")
			}
			b.WriteString(header)
		}
		b.WriteString("| `" + k.Name + "` | " + markdownText(k.Documentation) + " | " + strings.ToLower(k.Type.String()) + " | " +
			markdownText(k.defaultDoc()) + " | " + markdownText(k.validDoc()) + " | " + strings.ToLower(k.Importance.String()) + " |\n")
	}
	return b.String()
}

// HTML returns the definition as one table. Internal keys are left out.
func (d *ConfigDef) HTML() string {
	var b strings.Builder
	b.WriteString("<table class=\"data-table\"><tbody>\n<tr>\n")
	for _, h := range [...]string{"Name", "Description", "Type", "Default", "Valid Values", "Importance"} {
		b.WriteString("<th>" + h + "</th>\n")
	}
	b.WriteString("</tr>\n")
	for _, k := range d.Sorted() {
		if k.Internal {
			continue
		}
		b.WriteString("<tr>\n")
		for _, cell := range [...]string{k.Name, k.Documentation, strings.ToLower(k.Type.String()), k.defaultDoc(), k.validDoc(), strings.ToLower(k.Importance.String())} {
			b.WriteString("<td>" + html.EscapeString(cell) + "</td>")
		}
		b.WriteString("</tr>\n")
	}
	b.WriteString("</tbody></table>")
	return b.String()
}

// defaultDoc describes the default. Times and sizes are explained, as in Kafka's documentation.
func (k ConfigKey) defaultDoc() string {
	if k.Required() {
		return ""
	}
	text, ok := k.Type.Format(k.Default)
	n, isNumber := toFloat64(k.Default)
	whole := isNumber && n == float64(int64(n)) && n > 0
	switch {
	case !ok:
		return "null"
	case k.Type == ConfigString && text == "" || k.Type == ConfigList && text == "":
		return `""`
	case whole && strings.HasSuffix(k.Name, ".ms") && n >= 1000:
		if d := time.Duration(n) * time.Millisecond; d.Milliseconds() == int64(n) {
			return text + " (" + plainDuration(d) + ")"
		}
	case whole && strings.HasSuffix(k.Name, ".bytes") && n >= 1024 && int64(n)%1024 == 0:
		size, unit := int64(n)/1024, "kibibyte"
		if size%1024 == 0 {
			size, unit = size/1024, "mebibyte"
		}
		return text + " (" + plural(size, unit) + ")"
	}
	return text
}

func plainDuration(d time.Duration) string {
	for _, u := range [...]struct {
		d    time.Duration
		name string
	}{{24 * time.Hour, "day"}, {time.Hour, "hour"}, {time.Minute, "minute"}, {time.Second, "second"}} {
		if d%u.d == 0 {
			return plural(int64(d/u.d), u.name)
		}
	}
	return d.String()
}

func plural(n int64, unit string) string {
	if n == 1 {
		return "1 " + unit
	}
	return strconv.FormatInt(n, 10) + " " + unit + "s"
}

// validDoc describes the valid values.
func (k ConfigKey) validDoc() string {
	if k.Validator == nil {
		return ""
	}
	return k.Validator.String()
}

// markdownText makes text fit for a cell of a table.
func markdownText(s string) string {
	return strings.NewReplacer("|", `\|`, "<", "&lt;", ">", "&gt;", "\r\n", "<br>", "\n", "<br>").Replace(s)
}
