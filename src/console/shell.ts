// The document of the console. It is the same for everybody and holds nothing: the script asks for what it shows.

export const CONSOLE_HTML: string = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>tracefp</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="/console.css">
<script src="/console.js" defer></script>
</head>
<body>
<a class="skip" href="#view">To the content</a>
<header>
<strong>tracefp</strong>
<nav id="nav" aria-label="Parts of the console" hidden>
<a href="#alerts">Alerts</a>
<a href="#sessions">Sessions</a>
<a href="#programs">Programs</a>
<a href="#health">Health</a>
<button type="button" id="log-out">Log out</button>
</nav>
</header>
<main id="view" tabindex="-1"></main>
<p id="status" role="status"></p>
</body>
</html>
`
