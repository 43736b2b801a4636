// Encodes texts as programs written in Go do: one JSON array [encoder, text] on each line, one JSON string as the answer.
package main

import (
	"bufio"
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"html"
	"net/url"
	"os"
	"strconv"
)

var encoders = map[string]func(string) string{
	"json":         func(text string) string { data, _ := json.Marshal(text); return string(data) },
	"quote":        strconv.Quote,
	"quote-ascii":  strconv.QuoteToASCII,
	"query":        url.QueryEscape,
	"path":         url.PathEscape,
	"html":         html.EscapeString,
	"xml":          func(text string) string { var b bytes.Buffer; _ = xml.EscapeText(&b, []byte(text)); return b.String() },
	"base64":       func(text string) string { return base64.StdEncoding.EncodeToString([]byte(text)) },
	"base64-url":   func(text string) string { return base64.RawURLEncoding.EncodeToString([]byte(text)) },
	"hex":          func(text string) string { return hex.EncodeToString([]byte(text)) },
	"print-hex":    func(text string) string { return fmt.Sprintf("%X", text) },
	"print-quoted": func(text string) string { return fmt.Sprintf("%+q", text) },
}

func main() {
	output := bufio.NewWriter(os.Stdout)
	input := bufio.NewScanner(os.Stdin)
	input.Buffer(nil, 1<<20)
	for input.Scan() {
		var request [2]string
		if err := json.Unmarshal(input.Bytes(), &request); err != nil {
			panic(err)
		}
		answer, _ := json.Marshal(encoders[request[0]](request[1]))
		fmt.Fprintln(output, string(answer))
		output.Flush()
	}
}
