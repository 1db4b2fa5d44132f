package bucket_test

import (
	"testing"

	"linli/internal/testkit"
)

func TestMain(m *testing.M) { testkit.Main(m) }
