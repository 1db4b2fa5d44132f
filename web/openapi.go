package web

import (
	"cmp"
	"encoding/json"
	"fmt"
	"net/http"
	"reflect"
	"regexp"
	"strings"
	"unicode"

	"github.com/swaggest/jsonschema-go"
	"github.com/swaggest/openapi-go"
	"github.com/swaggest/openapi-go/openapi31"
)

// openAPI is the description of the API as JSON, made from the tables of routes.
func openAPI(version string) ([]byte, error) {
	r := openapi31.NewReflector()
	r.Spec.Info.WithTitle("linli").WithVersion(version).WithDescription("IoT backend of a residential community")
	r.Spec.SetHTTPBearerTokenSecurity("token", "", "the administrator's token, or an API token")
	r.Spec.SetAPIKeySecurity("session", "linli_session", openapi.InCookie, "begun by POST /api/v1/session; __Host-linli_session over TLS")
	r.DefaultOptions = append(r.DefaultOptions, jsonschema.InterceptDefName(func(t reflect.Type, _ string) string { return schemaName(t) }))
	for _, rt := range routes {
		if err := describe(r, rt); err != nil {
			return nil, fmt.Errorf("describe %s %s: %w", rt.method, rt.path, err)
		}
	}
	return json.Marshal(r.Spec)
}

// schemaName is the name of a type without its package.
func schemaName(t reflect.Type) string {
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	runes := []rune(t.Name())
	runes[0] = unicode.ToUpper(runes[0])
	return string(runes)
}

func describe(r *openapi31.Reflector, rt route) error {
	op, err := r.NewOperationContext(rt.method, rt.path)
	if err != nil {
		return err
	}
	op.SetID(operationID(rt))
	op.SetTags(rt.area)
	op.SetSummary(rt.about)
	if !rt.public {
		var roles []string
		for _, role := range rt.may {
			roles = append(roles, string(role))
		}
		op.SetDescription("For " + strings.Join(roles, ", ") + "; reach: " + rt.whose.name + ".")
		op.AddSecurity("token")
		op.AddSecurity("session")
	}
	if fields := pathFields(rt.path); fields != nil {
		op.AddReqStructure(reflect.New(reflect.StructOf(fields)).Interface())
	}
	if rt.in != nil {
		op.AddReqStructure(rt.in)
	}
	if rt.inType != "" {
		op.AddReqStructure("", openapi.WithContentType(rt.inType))
	}
	switch {
	case rt.out != nil:
		op.AddRespStructure(rt.out, openapi.WithHTTPStatus(cmp.Or(rt.status, http.StatusOK)))
	default:
		op.AddRespStructure("", openapi.WithHTTPStatus(http.StatusOK), openapi.WithContentType(rt.outType))
	}
	op.AddRespStructure(detail{}, openapi.WithContentType(problemType), func(c *openapi.ContentUnit) { c.IsDefault = true })
	return r.AddOperation(op)
}

var wildcard = regexp.MustCompile(`\{(\w+)\}`)

// operationID is made of the method and the path: getDevicesIdReadings.
func operationID(rt route) string {
	id := strings.ToLower(rt.method)
	for _, part := range strings.FieldsFunc(strings.TrimPrefix(rt.path, "/api/v1"), func(c rune) bool { return !unicode.IsLetter(c) }) {
		id += strings.ToUpper(part[:1]) + part[1:]
	}
	return id
}

// pathFields are the fields of a struct with the parameters of a path.
func pathFields(path string) []reflect.StructField {
	var fields []reflect.StructField
	for _, m := range wildcard.FindAllStringSubmatch(path, -1) {
		fields = append(fields, reflect.StructField{
			Name: strings.ToUpper(m[1]), Type: reflect.TypeOf(""), Tag: reflect.StructTag(`path:"` + m[1] + `"`),
		})
	}
	return fields
}
