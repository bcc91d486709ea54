/** What the page is made of: its own files, and the chart library as it was installed. */
const FILES: Readonly<Record<string, readonly [path: string, type: string]>> = {
  "/": ["page/index.html", "text/html; charset=utf-8"],
  "/style.css": ["page/style.css", "text/css; charset=utf-8"],
  "/app.js": ["page/app.js", "text/javascript; charset=utf-8"],
  "/charts.js": ["page/charts.js", "text/javascript; charset=utf-8"],
  "/elements.js": ["page/elements.js", "text/javascript; charset=utf-8"],
  "/icon.svg": ["page/icon.svg", "image/svg+xml"],
  "/echarts.js": [
    "../node_modules/echarts/dist/echarts.min.js",
    "text/javascript; charset=utf-8",
  ],
};

const contents = new Map<string, Uint8Array<ArrayBuffer>>();

/** One file of the page; undefined when there is none of this name. */
export async function readPage(pathname: string): Promise<Response | undefined> {
  if (!Object.hasOwn(FILES, pathname)) return undefined;
  const [path, type] = FILES[pathname]!;
  let content = contents.get(path);
  if (content === undefined) {
    content = await Deno.readFile(new URL(path, import.meta.url));
    contents.set(path, content);
  }
  return new Response(content, { headers: { "content-type": type } });
}
