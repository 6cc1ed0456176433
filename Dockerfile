# syntax=docker/dockerfile:1

# Alpine's libc is musl, so what is built here is one static file.
FROM rust:1-alpine AS build
# Whichever the image's release has.
# hadolint ignore=DL3018
RUN apk add --no-cache musl-dev
WORKDIR /src
COPY . .
# FEATURES=aws,otel for what is no part of the default build.
ARG FEATURES=""
# Both caches outlive the build: a change of ours compiles only ours.
RUN --mount=type=cache,target=/usr/local/cargo/registry \
    --mount=type=cache,target=/src/target \
    cargo build --locked --release --bin rungs --features "$FEATURES" \
    && cp target/release/rungs /rungs \
    # Owned by who runs it, so that a new volume is as well.
    && mkdir -m 0700 /data && chown 65532:65532 /data

# Nothing but the program. It brings its own time zones and roots of trust.
FROM scratch
COPY --from=build /rungs /usr/local/bin/rungs
COPY --from=build --chown=65532:65532 /data /data
USER 65532:65532
WORKDIR /data
VOLUME ["/data"]
# Any address but loopback needs RUNGS_API_KEYS.
ENV RUNGS_DATABASE_URL=sqlite:/data/rungs.db \
    RUNGS_LISTEN=0.0.0.0:7447 \
    RUNGS_LOG_FORMAT=json
EXPOSE 7447
# SIGTERM: begins nothing more, and waits for what is under way.
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=15s --timeout=10s --start-period=30s --retries=3 \
    CMD ["/usr/local/bin/rungs", "ready"]
ENTRYPOINT ["/usr/local/bin/rungs"]
CMD ["serve"]
