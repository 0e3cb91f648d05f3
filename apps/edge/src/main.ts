import { randomBytes } from 'node:crypto';
import { DEFAULT_TENANT_LIMITS } from '@wafleet/contract';
import { AddressRules } from '@wafleet/egress';
import { runApp } from '@wafleet/runtime';
import { parseTenantLimits } from '@wafleet/store';
import { environment } from './env.js';
import { parseProxies } from './limits/client-address.js';
import { startEdge } from './server.js';

await runApp(
  {
    name: 'edge',
    description: 'serves REST and streams events to Socket.IO clients; any number of them may run.',
    environment,
  },
  async ({ environment: env, logger, lifecycle, metrics }) => {
    const edgeId = `edge_${randomBytes(6).toString('hex')}`;
    await startEdge({
      edgeId,
      redisUrl: env.REDIS_URL,
      host: env.HOST,
      port: env.PORT,
      adminToken: env.ADMIN_TOKEN,
      metricsToken: env.METRICS_TOKEN,
      corsOrigin: env.CORS_ORIGIN,
      publicUrl: env.PUBLIC_URL,
      stopDelayMs: env.STOP_DELAY_MS,
      writerLimits: { maxUnsentBytes: env.MAX_UNSENT_BYTES, maxUnsentPackets: env.MAX_UNSENT_PACKETS },
      bufferLimits: { maxBytes: env.MAX_BUFFERED_BYTES },
      replayLimits: { maxReplays: env.MAX_REPLAYS, bytesPerSecond: env.REPLAY_BYTES_PER_SECOND },
      clientLimits: {
        socketsPerKey: env.MAX_SOCKETS_PER_KEY,
        handshakesPerKey: env.HANDSHAKES_PER_KEY,
        handshakesPerAddress: env.HANDSHAKES_PER_ADDRESS,
        framesPerSecond: env.MAX_FRAMES_PER_SECOND,
        callsPerTenant: env.MAX_CALLS_PER_TENANT,
        callsPerKey: env.MAX_CALLS_PER_KEY,
        connections: env.MAX_CONNECTIONS,
        connectionsPerAddress: env.MAX_CONNECTIONS_PER_ADDRESS,
        proxyHops: env.TRUSTED_PROXY_HOPS,
        trustedProxies: parseProxies(env.TRUSTED_PROXIES),
      },
      media: {
        url: env.WHATSAPP_MEDIA_URL,
        maxBytes: env.MAX_MEDIA_BYTES,
        downloads: env.MAX_MEDIA_DOWNLOADS,
        proxyRules: AddressRules.parse(env.PROXY_ALLOW),
      },
      jobsAtOnce: env.JOBS_AT_ONCE,
      uploads: {
        maxBytes: env.MAX_UPLOAD_BYTES,
        atOnce: env.MAX_MEDIA_UPLOADS,
        spoolDirectory: env.MEDIA_SPOOL_DIR,
        spoolBytes: env.MEDIA_SPOOL_BYTES,
        ffmpegPath: env.FFMPEG_PATH,
        toolsAtOnce: env.MEDIA_TOOLS_AT_ONCE,
        fetchRules: AddressRules.parse(env.FETCH_ALLOW),
      },
      eventLogMaxAgeMs: env.EVENT_LOG_MAX_AGE * 1000,
      peerHost: env.PEER_HOST,
      peerPort: env.PEER_PORT,
      tenantLimits: parseTenantLimits(env.TENANT_LIMITS) ?? DEFAULT_TENANT_LIMITS,
      metrics,
      logger: logger.child({ edge: edgeId }),
      lifecycle,
    });
  },
);
