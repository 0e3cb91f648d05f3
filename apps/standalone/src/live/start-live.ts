import { join } from 'node:path';
import { WafleetClient } from '@wafleet/client';
import { banner } from '../banner.js';
import type { StandaloneContext } from '../context.js';
import { edgePorts, startCluster } from '../processes/cluster.js';
import { requireFreePorts } from '../processes/ports.js';
import { startRedis } from '../processes/redis.js';
import { startStage } from '../processes/staged-start.js';
import { project } from '../project.js';
import { type Secrets, SecretsFile, withAdminToken } from '../secrets.js';
import { isKeyAccepted } from '../session-calls.js';
import { LinkPrompt } from './link-prompt.js';

const SESSION = 'phone';

/**
 * Starts the cluster against the real WhatsApp, with one session to link by a QR code in the terminal. Redis' data and
 * the secrets are kept in a folder of the project, so that the session is still linked at the next start.
 * @throws {StartError | StartInterrupted}
 */
export async function startLive(context: StandaloneContext): Promise<void> {
  const { environment: env, lifecycle, say, view, onDeath } = context;
  await requireFreePorts(env.HOST, edgePorts(env.PORT));
  const file = new SecretsFile(project.liveData);
  const kept = await file.load();
  const secrets = withAdminToken(kept, env.ADMIN_TOKEN);
  const redisUrl = await startRedis(context, join(project.liveData, 'redis'));

  say('Starting 2 workers, the placer and 2 edges …');
  const edges = await startCluster({
    lifecycle,
    logLevel: env.LOG_LEVEL,
    onLine: (name, line) => view.show(name, line),
    onDeath,
    redisUrl,
    port: env.PORT,
    host: env.HOST,
    proxyAllow: env.PROXY_ALLOW,
    fetchAllow: env.FETCH_ALLOW,
    workerCapacity: env.WORKER_CAPACITY,
    ffmpegPath: env.FFMPEG_PATH,
    secrets,
    whatsapp: {
      url: env.WHATSAPP_URL,
      rootKey: env.WHATSAPP_ROOT_KEY,
      version: env.WHATSAPP_VERSION,
      mediaUrl: env.WHATSAPP_MEDIA_URL,
    },
  });
  const [edge = ''] = edges;
  const apiKey = await ownApiKey(file, kept, { edge, adminToken: secrets.adminToken });

  say(
    banner({
      edges,
      apiKey,
      about: [
        `Session   ${SESSION}, on ${env.WHATSAPP_URL ?? 'the real WhatsApp'}. Follow the steps below.`,
        `Its data and this key are kept in ${project.liveData}`,
      ],
    }),
  );
  const prompt = new LinkPrompt({
    client: new WafleetClient({ url: edge, key: apiKey }),
    sessionId: SESSION,
    say,
  });
  await startStage(lifecycle, {
    name: 'link prompt',
    start: () => prompt.start(),
    stop: () => prompt.stop(),
  });
}

/** The key of this machine's tenant. Both are created at the first start, and again if Redis is another one. */
async function ownApiKey(
  file: SecretsFile,
  secrets: Secrets,
  { edge, adminToken }: { edge: string; adminToken: string },
): Promise<string> {
  const known = secrets.tenant?.apiKey;
  if (known !== undefined && (await isKeyAccepted(new WafleetClient({ url: edge, key: known }))))
    return known;
  const admin = new WafleetClient({ url: edge, key: adminToken });
  const { id } = await admin.call('create-tenant', { body: { name: 'This machine' } });
  const { key } = await admin.call('create-key', { body: { tenantId: id, name: 'npm start -- --live' } });
  await file.save({ ...secrets, tenant: { id, apiKey: key } });
  return key;
}
