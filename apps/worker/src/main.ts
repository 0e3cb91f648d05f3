import { runApp } from '@wafleet/runtime';
import { environment } from './env.js';
import { startWorker } from './start-worker.js';

await runApp(
  { name: 'worker', description: 'owns WhatsApp sessions and publishes their events.', environment },
  async (context) => {
    await startWorker(context);
  },
  // Baileys leaves promises that reject when their socket closes. They must not end all sessions of the process.
  { unhandledRejections: 'log' },
);
