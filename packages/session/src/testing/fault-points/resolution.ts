import type { ResolveHook } from 'node:module';

const noiseHandler = new URL('./noise-handler.js', import.meta.url).href;
const impatientSession = new URL('./impatient-session.js', import.meta.url).href;

/** Puts ./noise-handler.ts in the place of Baileys' own, and ./impatient-session.ts in that of the session. */
export const resolve: ResolveHook = (specifier, context, nextResolve) => {
  const { parentURL = '' } = context;
  if (specifier === './noise-handler.js' && parentURL.endsWith('/baileys/lib/Utils/index.js')) {
    return { url: noiseHandler, shortCircuit: true };
  }
  if (specifier === './whatsapp-session.js' && parentURL.endsWith('/session/dist/index.js')) {
    return { url: impatientSession, shortCircuit: true };
  }
  return nextResolve(specifier, context);
};
