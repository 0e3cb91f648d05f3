/** The origins of web pages that may call the edge from a browser; `*` for any. */
export type AllowedOrigins = '*' | string[];

/** Reads the environment variable CORS_ORIGIN: `*`, or origins separated by commas. */
export function parseOrigins(text: string): AllowedOrigins {
  const origins = text
    .split(',')
    .map((origin) => origin.trim())
    .filter((origin) => origin !== '');
  return origins.includes('*') ? '*' : origins;
}

/** Whether CORS_ORIGIN takes a text: `*`, or origins as browsers send them, with a scheme and without a path. */
export function areOrigins(text: string): boolean {
  const origins = parseOrigins(text);
  return origins === '*' || (origins.length > 0 && origins.every(isOrigin));
}

function isOrigin(text: string): boolean {
  if (!/^[a-z][a-z0-9+.-]*:\/\/[^/?#]+$/.test(text) || !URL.canParse(text)) return false;
  // URL has no origin for the schemes of browser extensions and apps.
  return ['null', text].includes(new URL(text).origin);
}

/** Where the calls of the passkey helper come from: an extension of a browser, which runs in WhatsApp Web. */
const HELPER_ORIGINS = ['https://web.whatsapp.com', /^(chrome|moz)-extension:\/\/[\w-]+$/];

/** The calls that take the token of a helper link, and never an API key. */
const HELPER_PATH = /^\/api\/passkey(\/|\?|$)/;

/** The origins whose pages may call a path. */
export function originsOf(url: string, origins: AllowedOrigins): '*' | (string | RegExp)[] {
  return origins === '*' || !HELPER_PATH.test(url) ? origins : [...origins, ...HELPER_ORIGINS];
}
