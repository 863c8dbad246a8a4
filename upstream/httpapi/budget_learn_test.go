package httpapi

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"
)

// Before the first answer only one request is under way: another process may
// have spent the window.
func TestBudgetLearns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := &Budget{Published: 180}
		if err := b.Learn(t.Context()); err != nil || !b.canTake(time.Now()) {
			t.Fatal("the first may not go", err)
		}
		short, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if err := b.Learn(short); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("a second went before the first was answered: %v", err)
		}
		waited := make(chan bool)
		for range 40 {
			go func() { waited <- b.Learn(t.Context()) == nil && b.canTake(time.Now()) }()
		}
		synctest.Wait()
		now := time.Now()
		b.Answered(budgetTold(now, 180, 5, now.Add(15*time.Minute)), now)
		went := 0
		for range 40 {
			if <-waited {
				went++
			}
		}
		if went != 5 {
			t.Errorf("%d went, 5 were left", went)
		}
	})
}

// Who must not go after all does not leave the others waiting.
func TestBudgetLearnsNothing(t *testing.T) {
	b := &Budget{Published: 1, blocked: noon.Add(time.Minute)}
	if err := b.Learn(t.Context()); err != nil || b.canTake(noon) {
		t.Fatal("went although it is blocked", err)
	}
	if err := b.Learn(t.Context()); err != nil {
		t.Error(err)
	}
}
