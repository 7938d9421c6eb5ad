<?php
// Loads all of the generated client, whose directory is the argument.
require "GuzzleHttp/autoload.php";
$library = $argv[1];
spl_autoload_register(fn ($name) => require $library . "/" . strtr(substr($name, strlen("Countersign\\Client\\")), "\\", "/") . ".php");
foreach (new RecursiveIteratorIterator(new RecursiveDirectoryIterator($library)) as $file) {
    if ($file->getExtension() === "php") {
        require_once $file->getPathname();
    }
}
if (!method_exists("Countersign\\Client\\Api\\RedeemApi", "getTokenStatus")) {
    exit("not all operations are there\n");
}
echo "loaded\n";
