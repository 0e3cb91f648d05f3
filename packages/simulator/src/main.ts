import { pino } from 'pino';
import { z } from 'zod';
import { Simulator } from './simulator.js';

const help = `The WhatsApp simulator: a multi-device server for Baileys clients, with the people who use it.

  npm run simulator

Environment:
  PORT        the one port for ws, wss, http and https (default 8080; 0 takes a free one)
  HOST        the address to listen on (default 127.0.0.1)
  TLS         true: the printed address says wss (the port answers both in any case; default false)
  ROOT_KEY    private key of the certificate root, 64 hexadecimal digits (default: a new one at each start)
  LOG_LEVEL   trace, debug, info, warn, error, fatal or silent (default info)

Clients connect to ws://HOST:PORT/ws/chat and trust the public root key that the first line of the log gives.
GET /healthz answers while it runs; GET /control/state tells the address and the public root key.
`;

const environment = z.object({
  PORT: z.coerce.number().int().min(0).max(65535).default(8080),
  HOST: z.string().min(1).default('127.0.0.1'),
  TLS: z.stringbool().default(false),
  ROOT_KEY: z
    .string()
    .regex(/^[0-9a-f]{64}$/i, '64 hexadecimal digits')
    .optional(),
  LOG_LEVEL: z.enum(['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent']).default('info'),
});

async function main(): Promise<void> {
  const parsed = environment.safeParse(process.env);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    const name = String(issue?.path[0]);
    throw new Error(`${name} is ${JSON.stringify(process.env[name])}: ${issue?.message}`);
  }
  const { PORT, HOST, TLS, ROOT_KEY, LOG_LEVEL } = parsed.data;
  const logger = pino({ level: LOG_LEVEL, name: 'simulator' });
  const simulator = new Simulator({
    port: PORT,
    host: HOST,
    tls: TLS,
    logger,
    ...(ROOT_KEY !== undefined && { rootKey: ROOT_KEY }),
  });
  await simulator.start();
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.once(signal, () => {
      logger.info({ signal }, 'simulator stops');
      simulator.stop().then(
        () => process.exit(0),
        () => process.exit(1),
      );
    });
  }
}

if (process.argv.includes('--help')) {
  process.stdout.write(help);
} else {
  main().catch((error: unknown) => {
    process.stderr.write(`simulator: ${error instanceof Error ? error.message : String(error)}\n`);
    process.exit(1);
  });
}
