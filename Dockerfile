# One image per app: docker build --build-arg APP=apps/edge -t wafleet-edge .
# APP is apps/edge, apps/worker, apps/placer or packages/simulator.

FROM node:24.22.3-bookworm-slim AS build
ARG APP
WORKDIR /wafleet
COPY . .
RUN npm install --no-audit --no-fund
RUN npm run build
# What the app needs at run time and nothing else: an edge's image holds no Baileys, no image holds a compiler.
RUN rm -rf node_modules packages/*/node_modules apps/*/node_modules .turbo
RUN npm pkg delete devDependencies --workspaces --include-workspace-root
RUN npm install --no-audit --no-fund --omit=dev --workspace "${APP}"

FROM node:24.22.3-bookworm-slim
ARG APP
ENV NODE_ENV=production
COPY --from=build /wafleet /wafleet
WORKDIR /wafleet/${APP}
USER node
CMD ["node", "--enable-source-maps", "dist/main.js"]
