package account

import (
	"testing"

	"linli/internal/testkit"
)

func TestMain(m *testing.M) { testkit.Main(m) }
