package cluster_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"

	"github.com/gokconnect/connect"
	"github.com/gokconnect/connect/cluster"
)

// Kafka Connect's REST API below a path of the application's own server, for those whom the application lets in.
func ExampleRuntime_Handler() {
	rt, err := cluster.New(cluster.Config{Brokers: []string{"localhost:9092"}, GroupID: "shop"})
	if err != nil {
		fmt.Println(err)
		return
	}
	onlyOperators := func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if user, password, ok := r.BasicAuth(); !ok || user != "operator" || password != "secret" {
				http.Error(w, "only operators may do this", http.StatusUnauthorized)
				return
			}
			next.ServeHTTP(w, r)
		})
	}
	mux := http.NewServeMux()
	mux.Handle("/connect/", onlyOperators(http.StripPrefix("/connect", rt.Handler())))

	ask := func(user string) {
		r := httptest.NewRequest("GET", "/connect/nothing", nil)
		r.SetBasicAuth(user, "secret")
		w := httptest.NewRecorder()
		mux.ServeHTTP(w, r)
		fmt.Println(w.Code, w.Body)
	}
	ask("somebody")
	ask("operator")
	// Output:
	// 401 only operators may do this
	//
	// 404 {"error_code":404,"message":"HTTP 404 Not Found"}
}

// An extension that a worker's properties ask for by its class: nobody may delete a connector.
func ExampleRESTExtension() {
	keep := cluster.RESTExtension{Class: "com.example.KeepExtension", Wrap: func(_ *cluster.Runtime, next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.Method == http.MethodDelete {
				http.Error(w, "nothing is deleted here", http.StatusForbidden)
				return
			}
			next.ServeHTTP(w, r)
		})
	}}
	rt, err := cluster.New(cluster.Config{
		Brokers: []string{"localhost:9092"}, GroupID: "shop", RESTExtensions: []cluster.RESTExtension{keep},
		Worker: connect.Config{"rest.extension.classes": "com.example.KeepExtension"},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	w := httptest.NewRecorder()
	rt.Handler().ServeHTTP(w, httptest.NewRequest("DELETE", "/connectors/orders", nil))
	fmt.Println(w.Code, w.Body)
	// Output:
	// 403 nothing is deleted here
}
