module github.com/losant-community/losant-rest-go/docs/mutants

go 1.25.0
