// The application of the seed article, as near as Debian's packages come:
// echo 4 and client_golang are real, the middleware (echo-contrib is not in
// Debian) counts the same four metrics.  Built by peers.sh, run by peers.bats.
package main

import (
	"fmt"
	"net"
	"net/http"
	"os"
	"strconv"
	"time"

	"github.com/labstack/echo"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

func main() {
	requests := promauto.NewCounter(prometheus.CounterOpts{
		Name: "api_request_total",
		Help: "The total number of api called",
	})
	labels := []string{"code", "host", "method", "url"}
	total := promauto.NewCounterVec(prometheus.CounterOpts{
		Name: "echo_requests_total",
		Help: "Requests by status code and method.",
	}, labels)
	took := promauto.NewHistogramVec(prometheus.HistogramOpts{
		Name: "echo_request_duration_seconds",
		Help: "Latencies of requests.",
	}, labels)

	e := echo.New()
	e.HideBanner, e.HidePort = true, true
	e.Use(func(next echo.HandlerFunc) echo.HandlerFunc {
		return func(c echo.Context) error {
			if c.Path() == "/metrics" {
				return next(c)
			}
			start := time.Now()
			err := next(c)
			v := []string{strconv.Itoa(c.Response().Status),
				c.Request().Host, c.Request().Method, c.Path()}
			total.WithLabelValues(v...).Inc()
			took.WithLabelValues(v...).Observe(
				time.Since(start).Seconds())
			return err
		}
	})
	e.GET("/metrics", echo.WrapHandler(promhttp.Handler()))
	e.GET("/hello", func(c echo.Context) error {
		requests.Inc()
		return c.String(http.StatusOK, "Hello, World!\n")
	})
	if len(os.Args) > 2 {
		e.File("/file", os.Args[2])
	}
	l, err := net.Listen("tcp", os.Args[1])
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	fmt.Fprintf(os.Stderr, "listening on %s\n", l.Addr())
	e.Listener = l
	e.Logger.Fatal(e.Start(""))
}
