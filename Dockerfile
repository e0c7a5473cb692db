# syntax=docker/dockerfile:1
# OpenBank's image: production packages and TypeScript sources, which Node.js runs as they are.

ARG NODE_IMAGE=node:24.21.0-slim

FROM ${NODE_IMAGE} AS packages
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
# The optional packages carry Node.js for machines that have an older one; this image brings its own.
RUN --mount=type=cache,target=/root/.npm \
    npm ci --omit=dev --omit=optional --ignore-scripts --no-audit --no-fund

FROM ${NODE_IMAGE}
LABEL org.opencontainers.image.title="OpenBank" \
      org.opencontainers.image.description="An event-sourced bank-account service." \
      org.opencontainers.image.version="0.1.0"
ENV NODE_ENV=production \
    OPENBANK_HOST=0.0.0.0 \
    OPENBANK_PORT=8899 \
    OPENBANK_DATA_DIR=/data
WORKDIR /app
# Owned by root: the service's user can read its own code, not change it.
COPY --from=packages /app/node_modules ./node_modules
COPY package.json ./
COPY src ./src
COPY docker ./docker
# A volume that is mounted over /archive for the first time takes over its owner.
RUN install -d -o 1000 -g 1000 -m 0700 /data /archive
# Node.js images name it node; a number lets orchestrators see that it is not root.
USER 1000:1000
# Databases of the embedded stores. With server stores only the pid file lies here.
VOLUME /data
EXPOSE 8899
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s --retries=3 \
    CMD ["node", "docker/health.ts"]
CMD ["node", "--disable-warning=ExperimentalWarning", "--max-semi-space-size=32", "src/main.ts"]
