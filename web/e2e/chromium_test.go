package e2e

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
)

// Made once by TestMain for all tests.
var (
	browser context.Context // a running Chromium; tests open tabs in it
	binary  string          // the gateway
)

// sideBySide is how many tests run at a time unless -parallel says otherwise. They
// wait more than they work: for heartbeats, for the time that a page leaves its
// reader in peace.
const sideBySide = "4"

func TestMain(m *testing.M) {
	if err := flag.Set("test.parallel", sideBySide); err != nil {
		panic(err)
	}
	code, err := run(m)
	if err != nil {
		fmt.Fprintf(os.Stderr, "\n*** THE BROWSER TESTS DID NOT RUN: %v\n\n", err)
		if os.Getenv("CI") != "" {
			code = 1
		}
	}
	os.Exit(code)
}

func run(m *testing.M) (int, error) {
	chromium, err := findChromium()
	if err != nil {
		return 0, err
	}
	dir, err := os.MkdirTemp("", "aviary-e2e-")
	if err != nil {
		return 1, err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	binary = filepath.Join(dir, "aviary")
	build := exec.Command("go", "build", "-o", binary, ".")
	build.Dir = filepath.Join("..", "..")
	if out, err := build.CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "go build: %v\n%s", err, out)
		return 1, errors.New("the gateway does not build")
	}
	if err := errors.Join(os.RemoveAll(artifacts), os.MkdirAll(artifacts, 0o755)); err != nil {
		return 1, err
	}

	options := append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath(chromium), chromedp.UserDataDir(filepath.Join(dir, "profile")),
		chromedp.NoSandbox, chromedp.DisableGPU, // as root in a container, without a graphics card
		chromedp.Flag("disable-quic", true), chromedp.Flag("disable-component-update", true), chromedp.Flag("lang", "en-GB"),
		// Each window would load pages of the browser's own for its address bar. They take
		// twice the time that the tests do.
		chromedp.Flag("disable-features", "Translate,BlinkGenPropertyTrees,WebUIOmniboxPopup,WebUIOmniboxAimPopup"),
	)
	ctx, cancel := chromedp.NewExecAllocator(context.Background(), options...)
	defer cancel()
	ctx, stop := chromedp.NewContext(ctx)
	defer stop()
	if err := chromedp.Do(ctx); err != nil {
		return 1, fmt.Errorf("%s does not start: %w", chromium, err)
	}
	browser = ctx
	return m.Run(), nil
}

// findChromium returns the browser's path, after an installation if need be.
func findChromium() (string, error) {
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if path, err := exec.LookPath(name); err == nil {
			return path, nil
		}
	}
	apt, err := exec.LookPath("apt-get")
	if err != nil || os.Geteuid() != 0 {
		return "", errors.New("there is no Chromium, and it can only be installed by root with apt-get")
	}
	for _, args := range [][]string{{"update"}, {"install", "-y", "--no-install-recommends", "chromium", "fonts-noto-core"}} {
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Minute)
		install := exec.CommandContext(ctx, apt, args...)
		install.Env = append(os.Environ(), "DEBIAN_FRONTEND=noninteractive")
		out, err := install.CombinedOutput()
		cancel()
		if err != nil {
			return "", fmt.Errorf("apt-get %s: %w: %s", args[0], err, tail(string(out)))
		}
	}
	return exec.LookPath("chromium")
}

func tail(s string) string {
	const most = 400
	if len(s) > most {
		return "…" + s[len(s)-most:]
	}
	return s
}
