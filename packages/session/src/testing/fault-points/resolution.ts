import type { ResolveHook } from 'node:module';

const noiseHandler = new URL('./noise-handler.js', import.meta.url).href;

/** Puts ./noise-handler.ts in the place of Baileys' own. */
export const resolve: ResolveHook = (specifier, context, nextResolve) =>
  specifier === './noise-handler.js' && context.parentURL?.endsWith('/baileys/lib/Utils/index.js') === true
    ? { url: noiseHandler, shortCircuit: true }
    : nextResolve(specifier, context);
