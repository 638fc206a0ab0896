module github.com/losant-community/losant-rest-go/tools/mutants

go 1.25.0
