package main

import (
	"debug/elf"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

// instruction is one instruction of a Dockerfile.
type instruction struct {
	name string // upper case
	args string // continued lines joined
}

// parseDockerfile reads what our Dockerfile is made of: comments, instructions,
// lines that are continued. It knows no heredocs and no parser directives, and
// says so. The kept parser of Dockerfiles is part of BuildKit, which would bring
// a container engine's dependencies into go.mod for one file of thirty lines.
func parseDockerfile(text string) ([]instruction, error) {
	var all []instruction
	continued := ""
	for i, line := range strings.Split(text, "\n") {
		line = strings.TrimSpace(line)
		if line == "" || strings.HasPrefix(line, "#") {
			if strings.HasPrefix(line, "# syntax=") || strings.HasPrefix(line, "# escape=") {
				return nil, fmt.Errorf("line %d: a parser directive", i+1)
			}
			continue // Docker passes over them inside a continued line, too
		}
		if strings.Contains(line, "<<") {
			return nil, fmt.Errorf("line %d: a heredoc", i+1)
		}
		if rest, more := strings.CutSuffix(line, `\`); more {
			continued += rest
			continue
		}
		name, args, _ := strings.Cut(continued+line, " ")
		continued = ""
		name = strings.ToUpper(name)
		if !slices.Contains([]string{"FROM", "WORKDIR", "COPY", "RUN", "ARG", "ENV", "USER", "EXPOSE", "HEALTHCHECK", "ENTRYPOINT", "CMD", "LABEL"}, name) {
			return nil, fmt.Errorf("line %d: there is no instruction %q", i+1, name)
		}
		all = append(all, instruction{name, strings.Join(strings.Fields(args), " ")})
	}
	if continued != "" {
		return nil, fmt.Errorf("the last line is continued: %q", continued)
	}
	return all, nil
}

// stages splits the instructions at FROM.
func stages(all []instruction) (out [][]instruction) {
	for _, in := range all {
		if in.name == "FROM" {
			out = append(out, nil)
		}
		if len(out) > 0 {
			out[len(out)-1] = append(out[len(out)-1], in)
		}
	}
	return out
}

func dockerfile(t *testing.T) [][]instruction {
	t.Helper()
	text, err := os.ReadFile("Dockerfile")
	if err != nil {
		t.Fatal(err)
	}
	all, err := parseDockerfile(string(text))
	if err != nil {
		t.Fatal(err)
	}
	return stages(all)
}

// arguments are those of a stage's instructions of one name.
func arguments(stage []instruction, name string) (all []string) {
	for _, in := range stage {
		if in.name == name {
			all = append(all, in.args)
		}
	}
	return all
}

func TestDockerfileParser(t *testing.T) {
	for text, want := range map[string]string{
		"FROM a AS b\n# c\nRUN x \\\n  # d\n  y\n": "[{FROM a AS b} {RUN x y}]",
		"from a":                "[{FROM a}]",
		"FORM a":                "error",
		"RUN a \\":              "error",
		"RUN <<E\nE":            "error",
		"# syntax=docker/x:1\n": "error",
	} {
		got, err := parseDockerfile(text)
		if said := fmt.Sprint(got); err == nil && said != want || (err != nil) != (want == "error") {
			t.Errorf("%q: %s, %v", text, said, err)
		}
	}
}

// Two stages: one builds, the other has nothing but the program, no shell, no root.
func TestDockerfileStages(t *testing.T) {
	all := dockerfile(t)
	if len(all) != 2 {
		t.Fatalf("%d stages", len(all))
	}
	build, run := all[0], all[1]
	mod, err := os.ReadFile("go.mod")
	if err != nil {
		t.Fatal(err)
	}
	needs := regexp.MustCompile(`(?m)^go (\d+\.\d+)`).FindStringSubmatch(string(mod))[1]
	if from := build[0].args; !strings.HasSuffix(from, " golang:"+needs+" AS build") {
		t.Errorf("the program is built by %q; go.mod needs Go %s", from, needs)
	}
	for name, want := range map[string][]string{
		"FROM":       {"gcr.io/distroless/static:nonroot"},
		"COPY":       {"--from=build /aviary /aviary"},
		"USER":       {"nonroot"},
		"EXPOSE":     {"8080"},
		"ENTRYPOINT": {`["/aviary"]`},
		"RUN":        nil, // there is no shell to run it
		"ENV":        nil, // defaults are the program's: the admin listener stays on loopback
		"CMD":        nil,
	} {
		if got := arguments(run, name); !slices.Equal(got, want) {
			t.Errorf("%s is %q, not %q", name, got, want)
		}
	}
	if check := arguments(run, "HEALTHCHECK"); len(check) != 1 || !strings.HasSuffix(check[0], ` CMD ["/aviary", "healthcheck"]`) {
		t.Errorf("the health check is %q", check)
	} else if timeout := regexp.MustCompile(`--timeout=(\S+)`).FindStringSubmatch(check[0]); timeout == nil {
		t.Error("the health check has no time limit")
	} else if limit, err := time.ParseDuration(timeout[1]); err != nil || limit <= healthcheckTimeout {
		t.Errorf("the health check is cut off after %v; by itself it ends after %v and says why", limit, healthcheckTimeout)
	}
	for _, in := range build {
		if in.name == "COPY" && strings.HasPrefix(in.args, "--from=") {
			t.Errorf("the build copies from elsewhere: %s", in.args)
		}
	}
	if f := fieldNamed("LISTEN"); f.def != ":8080" {
		t.Errorf("the image exposes 8080, the gateway listens on %s", f.def)
	}
	if f := fieldNamed("ADMIN_LISTEN"); !onLoopback(f.def) {
		t.Errorf("the admin listener is at %s by default", f.def)
	}
}

// The build command of the Dockerfile, run as it stands on what .dockerignore
// lets through, gives a static, stripped binary that knows its version.
func TestDockerfileBuild(t *testing.T) {
	build := dockerfile(t)[0]
	var command string
	for _, run := range arguments(build, "RUN") {
		if strings.Contains(run, "go build") {
			command = run
		}
	}
	dir := t.TempDir()
	context, out := filepath.Join(dir, "context"), filepath.Join(dir, "aviary")
	copyContext(t, context)
	c := exec.Command("sh", "-ec", strings.Replace(command, " -o /aviary ", " -o "+out+" ", 1))
	c.Dir = context
	c.Env = append(os.Environ(), "VERSION=v9.8.7", "COMMIT=abc1234", "TARGETOS=linux", "TARGETARCH=amd64", "GOFLAGS=-buildvcs=false -mod=mod")
	if said, err := c.CombinedOutput(); err != nil {
		t.Fatalf("%s: %v\n%s", command, err, said)
	}
	program, err := elf.Open(out)
	if err != nil {
		t.Fatal(err)
	}
	defer program.Close()
	for _, p := range program.Progs {
		if p.Type == elf.PT_INTERP || p.Type == elf.PT_DYNAMIC {
			t.Errorf("the binary is not static: it has %v", p.Type)
		}
	}
	for _, name := range []string{".interp", ".dynamic", ".symtab", ".debug_info", ".zdebug_info"} {
		if program.Section(name) != nil {
			t.Errorf("the binary has a section %s", name)
		}
	}
	said, err := exec.Command(out, "version").Output()
	if err != nil || !strings.HasPrefix(string(said), "aviary v9.8.7, commit abc1234, go") {
		t.Errorf("it says %q, %v", said, err)
	}
	if strings.Contains(readString(t, out), context) {
		t.Error("the binary holds the path that it was built in")
	}
	healthOf(t, out)
}

// copyContext makes the build context: what .dockerignore lets through. Like
// the parser above it knows only what our file uses: * and exceptions, then
// patterns without exceptions.
func copyContext(t *testing.T, to string) {
	t.Helper()
	var wanted, not []string
	for line := range strings.SplitSeq(readString(t, ".dockerignore"), "\n") {
		switch name, exception := strings.CutPrefix(line, "!"); {
		case exception:
			wanted = append(wanted, name)
		case line != "" && line != "*" && !strings.HasPrefix(line, "#"):
			not = append(not, line)
		}
	}
	ignored := func(path string) bool {
		for _, pattern := range not {
			anywhere, deep := strings.CutPrefix(pattern, "**/")
			if match, err := filepath.Match(anywhere, filepath.Base(path)); err != nil || deep && match || pattern == path {
				return true
			}
		}
		return false
	}
	for _, pattern := range wanted {
		paths, err := filepath.Glob(pattern)
		if err != nil || len(paths) == 0 {
			t.Errorf(".dockerignore lets %q through, and nothing is called so (%v)", pattern, err)
		}
		for _, root := range paths {
			err := filepath.WalkDir(root, func(path string, d os.DirEntry, err error) error {
				switch {
				case err != nil:
					return err
				case ignored(path) && d.IsDir():
					return filepath.SkipDir
				case ignored(path) || d.IsDir():
					return nil
				}
				target := filepath.Join(to, path)
				if err := os.MkdirAll(filepath.Dir(target), 0o755); err != nil {
					return err
				}
				return os.WriteFile(target, []byte(readString(t, path)), 0o644)
			})
			if err != nil {
				t.Fatal(err)
			}
		}
	}
}

func readString(t *testing.T, path string) string {
	t.Helper()
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}

// healthOf runs a gateway and its health check as the image does: the same
// environment, with hardly anything in it, a folder with nothing in it, and a
// user that owns nothing where the test may choose one.
func healthOf(t *testing.T, binary string) {
	t.Helper()
	address := "127.0.0.1:" + freePort(t)
	run := func(args ...string) *exec.Cmd {
		c := exec.Command(binary, args...)
		c.Dir = "/"
		c.Env = []string{"PATH=/nowhere", "AVIARY_LISTEN=" + address, "AVIARY_ADMIN_LISTEN=127.0.0.1:0"}
		if os.Getuid() == 0 {
			c.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65532, Gid: 65532}} // distroless' nonroot
			for dir := filepath.Dir(binary); len(dir) > len(os.TempDir()); dir = filepath.Dir(dir) {
				if err := os.Chmod(dir, 0o755); err != nil {
					t.Fatal(err)
				}
			}
		}
		return c
	}
	if out, err := run("healthcheck").CombinedOutput(); err == nil {
		t.Errorf("the health check is content with nobody: %s", out)
	}
	gateway := run()
	log := &lockedBuffer{}
	gateway.Stderr = log
	if err := gateway.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = gateway.Process.Kill()
		if t.Failed() {
			t.Logf("the gateway's log:\n%s", log)
		}
	})
	eventually(t, "a good health check", func() bool { return run("healthcheck").Run() == nil })
	if err := gateway.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := gateway.Wait(); err != nil {
		t.Errorf("stopped as a container is, it ends with %v:\n%s", err, log)
	}
}
