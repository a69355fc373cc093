# The same server as `npm start`, as an unprivileged user. Data lives in the volume /data.
FROM node:24-bookworm-slim
ENV NODE_ENV=production ICECORE_HOST=0.0.0.0 ICECORE_PORT=4000 \
    ICECORE_WAREHOUSE=/data/warehouse ICECORE_CATALOG=sqlite:/data/catalog.sqlite ICECORE_CACHE_DIR=/data/cache
WORKDIR /app
COPY package.json package-lock.json ./
# The image brings Node: the package `node` and its install script are not needed here.
RUN npm ci --omit=dev --ignore-scripts && npm cache clean --force
COPY bin bin
COPY src src
COPY schema schema
COPY resolvers resolvers
RUN mkdir /data && chown node:node /data
USER node
VOLUME /data
EXPOSE 4000
# A container listens on every interface, so it wants keys, and grants for them:
# -e ICECORE_API_KEYS=/run/secrets/keys.json -e ICECORE_GRANTS=/run/secrets/grants.json
CMD ["node", "src/main.ts", "serve"]
