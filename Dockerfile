# syntax=docker/dockerfile:1
# One image for API, worker, codec server and migrations; `--target dev` adds the vendors' stand-ins.

# glibc: Temporal's Core is built for it.
FROM node:24.21.0-bookworm-slim@sha256:2fe369e969550cde8e867afc3fe370b260140cab4a23d467074295b42163d553 AS packages
WORKDIR /app
# Certificate authorities for Temporal's Core, which reads the system's; Node brings its own.
RUN mkdir -p /etc/ssl/certs \
  && node -p "require('node:tls').rootCertificates.join('\n')" > /etc/ssl/certs/ca-certificates.crt
COPY package.json package-lock.json .npmrc ./
# No package of production needs its install script. Core brings five platforms' builds, and one is used.
RUN npm ci --omit=dev --ignore-scripts \
  && find node_modules/@temporalio/core-bridge/releases -mindepth 1 -maxdepth 1 \
    ! -name "$(uname -m)-unknown-linux-gnu" -exec rm -r {} +

FROM packages AS sources
COPY LICENSE ./
COPY supabase ./supabase
COPY workflows ./workflows
COPY activities ./activities
COPY src ./src
# Workflows are bundled here: a container starts without writing into its own tree.
RUN node src/worker/build-bundle.ts

FROM sources AS dev
RUN npm ci --include=dev --ignore-scripts
USER 1000:1000
ENTRYPOINT ["node", "--disable-warning=ExperimentalWarning"]

FROM sources AS intake
RUN rm -r src/dev
ENV NODE_ENV=production
# Nothing below /app belongs to this user: the tree is read-only for it even where the file system is not.
USER 1000:1000
ENTRYPOINT ["node", "--disable-warning=ExperimentalWarning"]
CMD ["src/api/main.ts"]
