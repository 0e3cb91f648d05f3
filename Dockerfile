# One image per app: docker build --build-arg APP=apps/edge -t wafleet-edge .
# APP is apps/edge, apps/worker, apps/placer or packages/simulator.
# An edge that converts videos and audio too: --target edge-media. The plain one converts pictures alone.
# All images share every layer but the last ones: dependencies are installed again only when a manifest changes.

FROM node:24.22.3-bookworm-slim AS manifests
WORKDIR /manifests
COPY . /source
RUN cd /source && find . -name package.json -exec cp --parents {} /manifests ';' && cp package-lock.json /manifests

FROM node:24.22.3-bookworm-slim AS build
WORKDIR /wafleet
COPY --from=manifests /manifests .
RUN npm ci --no-audit --no-fund
COPY . .
RUN npm run build

# What the app needs at run time and nothing else: an edge's image holds no Baileys, no image holds a compiler.
FROM node:24.22.3-bookworm-slim AS app
ARG APP
WORKDIR /wafleet
COPY --from=manifests /manifests .
# Without them in the manifests: npm would install the development dependencies of linked workspaces all the same.
RUN npm pkg delete devDependencies --workspaces --include-workspace-root
RUN npm install --no-audit --no-fund --omit=dev --workspace "${APP}"
COPY --from=build /wafleet /build
RUN node /build/scripts/deploy/collect-app.mjs /build /collected "${APP}" \
  && cp -r node_modules /collected/ \
  && if [ -d "${APP}/node_modules" ]; then cp -r "${APP}/node_modules" "/collected/${APP}/"; fi

# Beside the app and not in it: FFmpeg has decoders of hundreds of formats, and most of the size of this image.
FROM node:24.22.3-bookworm-slim AS edge-media
RUN apt-get update && apt-get install --no-install-recommends -y ffmpeg && rm -rf /var/lib/apt/lists/*
ENV NODE_ENV=production
COPY --from=app /collected /wafleet
WORKDIR /wafleet/apps/edge
USER node
CMD ["node", "dist/main.js"]

FROM node:24.22.3-bookworm-slim
ARG APP
ENV NODE_ENV=production
COPY --from=app /collected /wafleet
WORKDIR /wafleet/${APP}
USER node
# Without --enable-source-maps: Baileys makes a stack trace for each query, which costs a worker 8 % of a login then.
CMD ["node", "dist/main.js"]
