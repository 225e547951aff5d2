// Computes what kstatus, by which Flux, kpt and Helm wait, reports of objects: a JSON list of objects on stdin, a list of
// answers on stdout.
package main

import (
	"encoding/json"
	"fmt"
	"os"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/cli-utils/pkg/kstatus/status"
)

type answer struct {
	Status  string `json:"status"`
	Message string `json:"message"`
}

func main() {
	var objects []json.RawMessage
	if err := json.NewDecoder(os.Stdin).Decode(&objects); err != nil {
		fmt.Fprintf(os.Stderr, "stdin is no JSON list of objects: %v\n", err)
		os.Exit(2)
	}
	answers := []answer{}
	for _, text := range objects {
		object := &unstructured.Unstructured{}
		// Not by encoding/json: there a generation would be a float64.
		if err := object.UnmarshalJSON(text); err != nil {
			fmt.Fprintf(os.Stderr, "no object: %v\n", err)
			os.Exit(2)
		}
		result, err := status.Compute(object)
		if err != nil {
			fmt.Fprintf(os.Stderr, "the status of an object cannot be computed: %v\n", err)
			os.Exit(1)
		}
		answers = append(answers, answer{result.Status.String(), result.Message})
	}
	if err := json.NewEncoder(os.Stdout).Encode(answers); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
