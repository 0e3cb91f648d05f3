import { runApp } from '@wafleet/runtime';
import { environment } from './env.js';
import { startPlacer } from './start-placer.js';

await runApp(
  { name: 'placer', description: 'decides which worker owns which session.', environment },
  async (context) => {
    await startPlacer(context);
  },
);
