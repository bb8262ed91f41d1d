/** An answer for a browser. Its headers replace the usual ones. */
export class Page {
  readonly html: string;
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;

  constructor(html: string, status: number, headers: Readonly<Record<string, string>>) {
    this.html = html;
    this.status = status;
    this.headers = headers;
  }
}
