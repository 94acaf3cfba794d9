/** What a browser shows when the server runs without a built web app. */
export const missingAppPage = `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Cairn</title>
<body style="font: 1rem/1.6 system-ui; max-width: 38rem; margin: 15vh auto; padding: 0 1.5rem">
<h1>The server runs, the app is not built</h1>
<p>Syncing works; there is only no page to show here. To build the app, run this where Cairn is installed and start it again:</p>
<pre>npm run build -w @cairn/web
npm start</pre>
<p>If it is built elsewhere, name its folder with <code>CAIRN_WEB_DIR</code>.</p>
</body>
</html>
`;
