import { WafleetClient } from '@wafleet/client';
import { SimulatorControl } from '@wafleet/simulator';
import { banner } from '../banner.js';
import type { StandaloneContext } from '../context.js';
import { Loop } from '../loop.js';
import { edgePorts, startCluster, startSimulator } from '../processes/cluster.js';
import { requireFreePorts } from '../processes/ports.js';
import { startRedis } from '../processes/redis.js';
import { startStage } from '../processes/staged-start.js';
import { project } from '../project.js';
import { generateSecrets, SecretsFile, withAdminToken } from '../secrets.js';
import { findQr, findSession, removeSession } from '../session-calls.js';
import { waitUntil } from '../wait-until.js';
import { type Cast, invitePeople, type People } from './cast.js';
import { EXAMPLE_KEY, openDemoTenant } from './demo-tenant.js';
import { LINKING_SESSION, liveThroughLinking } from './linking.js';
import { chatter, playScene } from './scenes.js';

const SESSION = 'demo';
const LINK_TIMEOUT_MS = 60_000;
const SCENE_PAUSE_MS = 2_500;
const CHATTER_PAUSE_MS = 3_000;
const LINKING_PAUSE_MS = 3_000;

/**
 * Starts the cluster with a simulated WhatsApp: one session is linked to a phone whose owner has busy friends, and
 * another one is linked repeatedly.
 * @throws {StartError | StartInterrupted}
 */
export async function startDemo(context: StandaloneContext): Promise<void> {
  const { environment: env, lifecycle, logger, say, view, onDeath } = context;
  await requireFreePorts(env.HOST, edgePorts(env.PORT));
  const processes = {
    lifecycle,
    onDeath,
    logLevel: env.LOG_LEVEL,
    onLine: (name: string, line: string) => view.show(name, line),
  };
  // The user's own Redis has values that earlier demos sealed, so the key must be the same.
  const secrets = withAdminToken(
    env.REDIS_URL === undefined ? generateSecrets() : await new SecretsFile(project.demoData).load(),
    env.ADMIN_TOKEN,
  );
  const redisUrl = await startRedis(context);

  say('Starting the simulated WhatsApp …');
  const simulatorUrl = await startSimulator(processes);
  const control = new SimulatorControl(simulatorUrl);
  const { url, rootKey } = await control.state();

  say('Starting 2 workers, the placer and 2 edges …');
  const edges = await startCluster({
    ...processes,
    redisUrl,
    secrets,
    whatsapp: { url, rootKey, version: undefined, mediaUrl: simulatorUrl },
    port: env.PORT,
    host: env.HOST,
    proxyAllow: env.PROXY_ALLOW,
    fetchAllow: env.FETCH_ALLOW,
    workerCapacity: env.WORKER_CAPACITY,
    ffmpegPath: env.FFMPEG_PATH,
  });
  const [edge = ''] = edges;
  const { apiKey } = await openDemoTenant({ edge, adminToken: secrets.adminToken, redisUrl, logger });
  const client = new WafleetClient({ url: edge, key: apiKey });

  say('Linking a phone …');
  const people = await invitePeople(control);
  await linkByQr(client, people, context);
  const group = await people.ada.createGroup('Weekend', [people.ben, people.cleo, people.dev]);
  await startActivity(context, client, { ...people, control, group });

  say(
    banner({
      edges,
      apiKey,
      about: [
        `Sessions  ${SESSION}: linked to the simulated phone +${people.ada.number} of Ada. Her friends write,`,
        '          react, call and change a group every few seconds.',
        `          ${LINKING_SESSION}: linked by a pairing code, cut off and unlinked, again and again.`,
        `Simulator ${simulatorUrl}: has more phones, see docs/linking.md.`,
        `In this demo the key ${EXAMPLE_KEY} works as well.`,
        'To send a picture: README.md. To make tenants and keys: docs/operations.md#administration.',
      ],
    }),
  );
}

/** Resolves when the session has shown a QR code, Ada's phone has scanned it, and the session is open. */
async function linkByQr(client: WafleetClient, { ada }: People, context: StandaloneContext): Promise<void> {
  const options = { timeoutMs: LINK_TIMEOUT_MS, signal: context.stopping };
  await removeSession(client, SESSION);
  await client.call('create-session', { body: { id: SESSION, name: 'Ada' } });
  const { qr } = await waitUntil(() => findQr(client, SESSION), { what: 'a QR code', ...options });
  await ada.scan(qr);
  await waitUntil(async () => ((await findSession(client, SESSION))?.status === 'open' ? true : undefined), {
    what: 'the session open',
    ...options,
  });
}

/** Plays scenes until everything stops. */
async function startActivity(context: StandaloneContext, client: WafleetClient, cast: Cast): Promise<void> {
  const onError = (error: unknown) => context.logger.warn({ err: error }, 'a scene of the demo failed');
  const loops = [
    new Loop({ pauseMs: CHATTER_PAUSE_MS, onError, round: (_signal, count) => chatter(cast, count) }),
    new Loop({ pauseMs: SCENE_PAUSE_MS, onError, round: (signal, count) => playScene(cast, signal, count) }),
    new Loop({
      pauseMs: LINKING_PAUSE_MS,
      onError,
      round: (signal) =>
        liveThroughLinking({ client, control: cast.control, phone: cast.vera, friend: cast.ben }, signal),
    }),
  ];
  await startStage(context.lifecycle, {
    name: 'demo',
    start: () => {
      for (const loop of loops) loop.start();
    },
    stop: async () => {
      await Promise.all(loops.map((loop) => loop.stop()));
    },
  });
}
