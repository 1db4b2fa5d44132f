package acceptance

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	mqtt "github.com/eclipse/paho.mqtt.golang"
)

// With a certificate pages and broker speak TLS and nothing else, off loopback too, and what a device sends arrives.
func TestServeOverTLS(t *testing.T) {
	cert, key, roots := certificate(t)
	s := newServer(t, "--tls-cert", cert, "--tls-key", key)
	_, port, _ := net.SplitHostPort(s.http)
	s.listenOn = net.JoinHostPort("0.0.0.0", port)
	s.client = &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots}}}
	s.scheme = "https"
	t.Setenv("SSL_CERT_FILE", cert) // whom the command line trusts
	s.start()

	if r, err := http.Get("http://" + s.http + "/healthz"); err == nil {
		r.Body.Close()
		if r.StatusCode != http.StatusBadRequest {
			t.Errorf("pages in the clear: %s", r.Status)
		}
	}
	s.linli("communities", "add", "--id", "garden", "--name", "花园")
	d := s.addDevice("garden", "wearable_band", "wb-1")

	connect := func(url string, trust *x509.CertPool) (mqtt.Client, error) {
		o := mqtt.NewClientOptions().AddBroker(url).SetClientID(d.ID).SetUsername(d.ID).SetPassword(d.Secret)
		o.SetTLSConfig(&tls.Config{RootCAs: trust}).SetConnectTimeout(5 * time.Second).SetAutoReconnect(false)
		c := mqtt.NewClient(o)
		ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
		defer cancel()
		token := c.Connect()
		select {
		case <-token.Done():
			return c, token.Error()
		case <-ctx.Done():
			return c, ctx.Err()
		}
	}
	if _, err := connect("tcp://"+s.mqtt, nil); err == nil {
		t.Error("the broker speaks MQTT in the clear")
	}
	if _, err := connect("ssl://"+s.mqtt, x509.NewCertPool()); err == nil {
		t.Error("a device that does not trust the certificate was connected")
	}
	c, err := connect("ssl://"+s.mqtt, roots)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Disconnect(100)
	began := time.Now()
	if k := c.Publish(d.Topic, 1, false, `{"heart_rate_bpm": 72, "seq": 1}`); !k.WaitTimeout(30*time.Second) || k.Error() != nil {
		t.Fatalf("publish %s: %v", d.Topic, k.Error())
	}
	s.await(30*time.Second, "stored", func() bool {
		p, err := s.readings(d.ID, "heart_rate_bpm", began.Add(-time.Minute))
		return err == nil && len(p) == 1
	})
	s.terminate()
}

// certificate is a new certificate for loopback, signed by itself.
func certificate(t *testing.T) (certFile, keyFile string, roots *x509.CertPool) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "linli test"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		DNSNames: []string{"localhost"}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(24 * time.Hour),
		KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign, IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	certFile, keyFile = filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	for name, block := range map[string]*pem.Block{certFile: {Type: "CERTIFICATE", Bytes: der}, keyFile: {Type: "PRIVATE KEY", Bytes: private}} {
		if err := os.WriteFile(name, pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	roots = x509.NewCertPool()
	text, err := os.ReadFile(certFile)
	if err != nil || !roots.AppendCertsFromPEM(text) {
		t.Fatalf("read %s: %v", strings.TrimSpace(certFile), err)
	}
	return certFile, keyFile, roots
}
