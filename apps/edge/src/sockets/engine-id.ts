/** The id of the Engine.IO connection that a request names. Of several ids Engine.IO takes the last one. */
export function engineIdOf(url: string): string | undefined {
  const query = url.indexOf('?');
  return query < 0 ? undefined : new URLSearchParams(url.slice(query)).getAll('sid').at(-1);
}
