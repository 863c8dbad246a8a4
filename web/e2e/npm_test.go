package e2e

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"time"
)

// npmFile is the path of a file of an npm package, from the user's cache folder, or
// fetched into it. What an installation that was broken off has left is never taken
// for a package.
func npmFile(name, version, file string) (string, error) {
	cache, err := os.UserCacheDir()
	if err != nil {
		cache = os.TempDir()
	}
	cache = filepath.Join(cache, "aviary-e2e")
	dir := filepath.Join(cache, name+"-"+version)
	path := filepath.Join(dir, "node_modules", name, filepath.FromSlash(file))
	if _, err := os.Stat(path); err == nil {
		return path, nil
	}
	npm, err := exec.LookPath("npm")
	if err != nil {
		return "", err
	}
	if err := os.MkdirAll(cache, 0o755); err != nil {
		return "", err
	}
	fresh, err := os.MkdirTemp(cache, "new-")
	if err != nil {
		return "", err
	}
	defer func() { _ = os.RemoveAll(fresh) }()
	ctx, cancel := context.WithTimeout(context.Background(), 3*time.Minute)
	defer cancel()
	install := exec.CommandContext(ctx, npm, "install", "--prefix", fresh, "--no-save", "--no-audit", "--no-fund", "--ignore-scripts",
		"--fetch-retries=4", "--fetch-retry-factor=2", "--fetch-retry-mintimeout=1000", name+"@"+version)
	install.WaitDelay = 5 * time.Second // what it has started may hold its output open
	if out, err := install.CombinedOutput(); err != nil {
		return "", fmt.Errorf("npm install %s: %w: %s", name, err, tail(string(out)))
	}
	if err := os.Chmod(fresh, 0o755); err != nil {
		return "", err
	}
	_ = os.RemoveAll(dir) // of an installation that was broken off
	if err := os.Rename(fresh, dir); err != nil {
		if _, err := os.Stat(path); err == nil {
			return path, nil // somebody else was quicker
		}
		return "", err
	}
	_, err = os.Stat(path)
	return path, err
}
