import { ERRORS, ERRORS_PATH, titleOf } from '@wafleet/contract';
import type { FastifyInstance } from 'fastify';

const ESCAPES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };

/** The page loads nothing and runs nothing. */
const POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'";

const STYLE =
  'body{font:16px/1.5 system-ui,sans-serif;max-width:50rem;margin:2rem auto;padding:0 1rem}:target{background:#fff3bf}';

/** Serves the page with the meaning of every error: the `type` of a problem leads to its place there. */
export function serveErrorPage(app: FastifyInstance): void {
  const page = errorPage();
  app.get(ERRORS_PATH, { schema: { hide: true } }, (_request, reply) =>
    reply.header('content-security-policy', POLICY).type('text/html; charset=utf-8').send(page),
  );
}

function errorPage(): string {
  const sections = Object.entries(ERRORS).map(
    ([code, { status, retryable, meaning }]) =>
      `<section id="${code}"><h2>${titleOf(code as keyof typeof ERRORS)}</h2>` +
      `<p><code>${code}</code>, status ${status}. ` +
      `The same request may succeed later: ${retryable ? 'yes' : 'no'}.</p><p>${htmlOf(meaning)}</p></section>`,
  );
  return (
    '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Errors of Wafleet</title>' +
    `<style>${STYLE}</style></head><body><h1>Errors</h1>${sections.join('')}</body></html>`
  );
}

/** A sentence of the registry, in which code is in backticks. Links to other documents become their text. */
function htmlOf(meaning: string): string {
  return meaning
    .replaceAll(/[&<>"]/g, (character) => ESCAPES[character] ?? '')
    .replaceAll(/\[([^\]]*)\]\([^)]*\)/g, '$1')
    .replaceAll(/`([^`]*)`/g, '<code>$1</code>');
}
