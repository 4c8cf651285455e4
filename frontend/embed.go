// Package frontend holds the web application as files inside the program.
//
// In: the folder dist, which `make frontend` fills by npm and which is not part of the repository, and
// the folder static with one plain page. Out: a file system whose root has index.html: the application
// when it was built before the program, otherwise the plain page, which says what the server answers.
// So Go alone builds a program that works, and whoever serves the files need not know the difference.
// The sources of the application are beside this file: renderer.tsx is its entry, modules/ its parts.
package frontend

import (
	"embed"
	"io/fs"
)

//go:embed static
var static embed.FS

//go:embed all:dist
var dist embed.FS

// Files is the root of the web application.
func Files() fs.FS {
	if Built() {
		return below(dist, "dist")
	}
	return below(static, "static")
}

// Built reports whether the application was built before the program.
func Built() bool {
	_, err := fs.Stat(dist, "dist/index.html")
	return err == nil
}

func below(files fs.FS, folder string) fs.FS {
	root, err := fs.Sub(files, folder)
	if err != nil {
		panic("BUG: the embedded folder has another name: " + err.Error())
	}
	return root
}
