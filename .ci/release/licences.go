package main

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
)

// allowed is what the project may be built on.
var allowed = []string{"MIT", "BSD-2-Clause", "BSD-3-Clause", "0BSD", "Apache-2.0", "MPL-2.0", "ISC"}

// part is something that is inside the product.
type part struct {
	name, version, licence string
	texts                  []string // of its licence and notices
}

// licences adds the web application's parts to the bill of materials, checks the licence of every
// part, and collects the texts that have to be passed on.
func licences(sbom, repository, out string) error {
	b, err := os.ReadFile(sbom)
	if err != nil {
		return err
	}
	var bill map[string]any
	if err := json.Unmarshal(b, &bill); err != nil {
		return fmt.Errorf("read %s: %w", sbom, err)
	}
	components, _ := bill["components"].([]any)
	if len(components) == 0 {
		return fmt.Errorf("read %s: it names no components", sbom)
	}
	dirs, err := modules(repository)
	if err != nil {
		return err
	}
	var parts []part
	for _, c := range components {
		p, err := goPart(c.(map[string]any), dirs)
		if err != nil {
			return err
		}
		parts = append(parts, p)
	}
	web, err := webParts(filepath.Join(repository, "frontend"))
	if err != nil {
		return err
	}
	for _, p := range web {
		purl := "pkg:npm/" + strings.Replace(p.name, "@", "%40", 1) + "@" + p.version
		components = append(components, map[string]any{
			"bom-ref": purl, "type": "library", "name": p.name, "version": p.version, "purl": purl,
			"licenses": []any{map[string]any{"license": map[string]any{"id": p.licence}}},
		})
	}
	parts = append(parts, web...)
	if err := refuse(parts); err != nil {
		return err
	}
	bill["components"] = components
	if b, err = json.MarshalIndent(bill, "", "  "); err != nil {
		return err
	}
	if err := os.WriteFile(sbom, append(b, '\n'), 0o644); err != nil {
		return err
	}
	return os.WriteFile(out, []byte(notices(parts)), 0o644)
}

// refuse lists every part whose licence is not allowed or whose text is missing.
func refuse(parts []part) error {
	var faults []string
	for _, p := range parts {
		if !slices.Contains(allowed, p.licence) {
			faults = append(faults, fmt.Sprintf("%s %s has the licence %q, which is none of %s", p.name, p.version, p.licence, strings.Join(allowed, ", ")))
		}
		if len(p.texts) == 0 {
			faults = append(faults, fmt.Sprintf("%s %s comes without the text of its licence", p.name, p.version))
		}
	}
	if len(faults) > 0 {
		return fmt.Errorf("check licences:\n  %s", strings.Join(faults, "\n  "))
	}
	return nil
}

func notices(parts []part) string {
	var b strings.Builder
	b.WriteString("backtester contains the following parts of others, each under its own licence.\n\n")
	for _, p := range parts {
		fmt.Fprintf(&b, "%s %s: %s\n", p.name, p.version, p.licence)
	}
	for _, p := range parts {
		fmt.Fprintf(&b, "\n%s\n%s %s\n\n%s\n", strings.Repeat("=", 80), p.name, p.version, strings.Join(p.texts, "\n\n"))
	}
	return b.String()
}

// modules says where the sources of each module lie.
func modules(repository string) (map[string]string, error) {
	cmd := exec.Command("go", "list", "-m", "-f", "{{.Path}}\t{{.Dir}}", "all")
	cmd.Dir = repository
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("list modules: %w", err)
	}
	dirs := map[string]string{}
	for line := range strings.Lines(string(out)) {
		name, dir, _ := strings.Cut(strings.TrimSpace(line), "\t")
		dirs[name] = dir
	}
	root, err := exec.Command("go", "env", "GOROOT").Output()
	dirs["std"] = strings.TrimSpace(string(root)) // Go's own library
	return dirs, err
}

// mit is the sentence that makes a text the MIT licence.
const mit = `Permission is hereby granted, free of charge, to any person obtaining a copy of this software and associated documentation files (the "Software"), to deal in the Software without restriction`

// goPart reads one component of the bill of materials. The detector takes the Go project's own text,
// the three clauses of BSD with "this source code", for another licence.
func goPart(c map[string]any, dirs map[string]string) (part, error) {
	p := part{name: c["name"].(string), version: c["version"].(string)}
	if dirs[p.name] == "" {
		return p, fmt.Errorf("the sources of %s are not here: go mod download", p.name)
	}
	p.texts = texts(dirs[p.name])
	list, _ := c["licenses"].([]any)
	if len(list) == 0 && p.name == "std" { // it is no module, so the detector has not looked
		list = []any{map[string]any{"license": map[string]any{"id": "BSD-Source-Code"}}}
		c["licenses"] = list
	}
	var ids []string
	for _, l := range list {
		licence, _ := l.(map[string]any)["license"].(map[string]any)
		id, _ := licence["id"].(string)
		if id == "BSD-Source-Code" && strings.Contains(strings.Join(p.texts, ""), "Neither the name of Google") {
			id = "BSD-3-Clause"
			licence["id"] = id
		}
		ids = append(ids, id)
	}
	if len(ids) == 0 && strings.Contains(strings.Join(strings.Fields(strings.Join(p.texts, " ")), " "), mit) {
		ids = []string{"MIT"} // two notices above one text is more than the detector knows
		c["licenses"] = []any{map[string]any{"license": map[string]any{"id": "MIT"}}}
	}
	p.licence = strings.Join(ids, " AND ")
	return p, nil
}

// webParts are the packages that end up in the web application, as its lock file has them.
func webParts(dir string) ([]part, error) {
	b, err := os.ReadFile(filepath.Join(dir, "package-lock.json"))
	if os.IsNotExist(err) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var lock struct {
		Packages map[string]struct {
			Version, License    string
			Dev, Optional, Peer bool
		}
	}
	if err := json.Unmarshal(b, &lock); err != nil {
		return nil, fmt.Errorf("read package-lock.json: %w", err)
	}
	var parts []part
	for path, p := range lock.Packages {
		if path == "" || p.Dev || p.Optional || p.Peer {
			continue
		}
		_, name, _ := strings.Cut(path, "node_modules/")
		found := texts(filepath.Join(dir, path))
		if len(found) == 0 { // some packages say their licence in one word only
			found = declared(filepath.Join(dir, path, "package.json"))
		}
		parts = append(parts, part{name: name, version: p.Version, licence: p.License, texts: found})
	}
	slices.SortFunc(parts, func(a, b part) int { return strings.Compare(a.name, b.name) })
	return parts, nil
}

// declared is what package.json says of the licence and of who gives it.
func declared(file string) []string {
	b, err := os.ReadFile(file)
	var p struct {
		License, Homepage string
		Author            any
	}
	if err != nil || json.Unmarshal(b, &p) != nil || p.License == "" {
		return nil
	}
	if a, ok := p.Author.(map[string]any); ok {
		p.Author = a["name"]
	}
	return []string{fmt.Sprintf("The package names the licence %s and has no text of it. Author: %v. %s", p.License, p.Author, p.Homepage)}
}

// texts are the licence and the notices at the top of a folder.
func texts(dir string) []string {
	var list []string
	entries, _ := os.ReadDir(dir)
	for _, e := range entries {
		upper := strings.ToUpper(e.Name())
		named := slices.ContainsFunc([]string{"LICENSE", "LICENCE", "COPYING", "NOTICE", "PATENTS"}, func(word string) bool { return strings.HasPrefix(upper, word) })
		if !named || e.IsDir() {
			continue
		}
		if b, err := os.ReadFile(filepath.Join(dir, e.Name())); err == nil {
			list = append(list, strings.TrimSpace(string(b)))
		}
	}
	return list
}
