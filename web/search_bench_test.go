package web

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"testing"

	"linli/devices"
	"linli/web/account"
)

// BenchmarkSearch is one request to 20,000 devices, without the network.
func BenchmarkSearch(b *testing.B) {
	cat, err := devices.LoadCatalogue()
	if err != nil {
		b.Fatal(err)
	}
	var all []*devices.Device
	for i := range 20_000 {
		all = append(all, &devices.Device{
			ID: fmt.Sprintf("device-%05d", i), Community: fmt.Sprint("c", i%10), Type: cat.Types()[i%30].ID, Name: fmt.Sprint("三号楼 ", i),
			Place: devices.Place{Estate: "e1", Building: fmt.Sprint("b", i%50), Unit: "u1"},
		})
	}
	var x search
	who := &account.Principal{User: account.User{Role: account.Duty, Communities: []string{"c1", "c2"}}}
	for name, query := range map[string]string{"all": "", "words": "三号楼 meter", "one": "device-19999"} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			q := url.Values{"q": {query}, "state": {""}}
			for b.Loop() {
				found := matching(all, x.texts(all, cat), q, who)
				body := deviceList{Devices: []devices.Device{}, Total: len(found)}
				for _, d := range found[:min(100, len(found))] {
					body.Devices = append(body.Devices, shown(d))
				}
				_ = reply(httptest.NewRecorder(), http.StatusOK, body)
			}
		})
	}
}
