# The gateway in an image without a shell or a package manager. Nothing here has
# been built by CI, which has no container engine: image_test.go checks what can
# be checked without one. See docs/operating.md, "The image".

FROM --platform=$BUILDPLATFORM golang:1.26 AS build
WORKDIR /src

# Modules first: they change less often than the code.
COPY go.mod go.sum ./
RUN go mod download

COPY . .
ARG VERSION=dev
ARG COMMIT=unknown
ARG TARGETOS
ARG TARGETARCH
RUN CGO_ENABLED=0 GOOS=$TARGETOS GOARCH=$TARGETARCH \
    go build -trimpath -ldflags "-s -w -X main.version=$VERSION -X main.commit=$COMMIT" -o /aviary .

# Certificates of the public authorities, a user called nonroot, and no more.
FROM gcr.io/distroless/static:nonroot
COPY --from=build /aviary /aviary
USER nonroot

# The public listener. The admin listener stays on the container's loopback.
EXPOSE 8080
HEALTHCHECK --interval=15s --timeout=6s --start-period=5s CMD ["/aviary", "healthcheck"]
ENTRYPOINT ["/aviary"]
