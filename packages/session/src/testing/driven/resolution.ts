import type { InitializeHook, ResolveHook } from 'node:module';

const sockets = new URL('./sockets.js', import.meta.url);

export const initialize: InitializeHook<{ socket: string }> = ({ socket }) => {
  sockets.searchParams.set('socket', socket);
};

export const resolve: ResolveHook = (specifier, context, nextResolve) =>
  specifier === '@whiskeysockets/baileys' && context.parentURL !== sockets.href
    ? { url: sockets.href, shortCircuit: true }
    : nextResolve(specifier, context);
