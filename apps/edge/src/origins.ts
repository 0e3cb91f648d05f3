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
