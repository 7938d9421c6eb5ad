// Redeems a challenge code. Needs github.com/aws/aws-sdk-go-v2; credentials come from the environment.
package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"strconv"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
)

// Redeem gives the reply's JSON; it is empty when the code is wrong, used, expired or locked.
func Redeem(endpoint, app, session, code string) (string, error) {
	url := fmt.Sprintf("%s/backend/%s/challenge/%s/redeem", endpoint, app, session)
	body, _ := json.Marshal(map[string]string{"challengeCode": code})
	// One key for all tries, so that a repeat gets the reply that was lost.
	key := make([]byte, 16)
	if _, err := rand.Read(key); err != nil {
		return "", err
	}
	var failure error
	for _, pause := range []time.Duration{100, 400, 1600, 0} {
		status, reply, wait, err := call(url, body, hex.EncodeToString(key))
		switch {
		case err != nil:
			failure = err
		case status == http.StatusOK:
			return reply, nil
		case status == http.StatusNotFound:
			return "", nil
		case status == http.StatusTooManyRequests, status == http.StatusGatewayTimeout:
			failure = fmt.Errorf("%d %s", status, reply)
		default:
			return "", fmt.Errorf("%d %s", status, reply)
		}
		if pause == 0 {
			break
		}
		if wait == 0 {
			wait = pause * time.Millisecond
		}
		time.Sleep(wait)
	}
	return "", failure
}

// call gives the status, the body, and how long the service asks to wait before the next try.
func call(url string, body []byte, key string) (int, string, time.Duration, error) {
	request, err := http.NewRequest(http.MethodPost, url, bytes.NewReader(body))
	if err != nil {
		return 0, "", 0, err
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("Idempotency-Key", key)
	hash := sha256.Sum256(body)
	credentials := aws.Credentials{AccessKeyID: os.Getenv("AWS_ACCESS_KEY_ID"), SecretAccessKey: os.Getenv("AWS_SECRET_ACCESS_KEY")}
	err = v4.NewSigner().SignHTTP(context.Background(), credentials, request, hex.EncodeToString(hash[:]), "amplifybackend", "us-east-1", time.Now())
	if err != nil {
		return 0, "", 0, err
	}
	client := http.Client{Timeout: 5 * time.Second}
	reply, err := client.Do(request)
	if err != nil {
		return 0, "", 0, err
	}
	defer reply.Body.Close()
	text, err := io.ReadAll(reply.Body)
	seconds, _ := strconv.Atoi(reply.Header.Get("Retry-After"))
	return reply.StatusCode, string(text), time.Duration(seconds) * time.Second, err
}

func main() {
	reply, err := Redeem(os.Args[1], os.Args[2], os.Args[3], os.Args[4])
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	if reply == "" {
		reply = "refused"
	}
	fmt.Println(reply)
}
