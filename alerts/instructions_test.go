package alerts

import (
	"strings"
	"testing"
)

func TestAnSOSSaysWhatToTellTheAmbulance(t *testing.T) {
	w := newWorld(t)
	w.say("p1 0s!sos")
	got := w.last().Instructions
	if want := "拨打120（急救）：地址 天津市红桥区 12 号楼 301；姓名 马奶奶；情况 求救；电话 13900000000；注意 钥匙在门卫。"; got.ZH != want {
		t.Errorf("instructions %q, want %q", got.ZH, want)
	}
	if !strings.HasPrefix(got.EN, "Call 120 (ambulance): address 天津市红桥区 12 号楼 301; name 马奶奶; what SOS") {
		t.Errorf("instructions %q", got.EN)
	}
}
