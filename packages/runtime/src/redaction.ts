/** Blanks user names and passwords of the URLs in a text, also those that stand in a URL's query. */
export function withoutCredentials(text: string): string {
  return text
    .replace(/([a-z][a-z0-9+.-]*:\/\/)[^\s/]*@/gi, '$1***@')
    .replace(/([?&][a-z]*(?:username|password)=)[^&#\s]*/gi, '$1***');
}
