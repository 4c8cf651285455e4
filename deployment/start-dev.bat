@echo off
rem One command to a server for development: no keys, no accounts, the made-up market, this machine only.
rem Arguments are passed on to "backtester serve", such as --port 5001. Ctrl-C ends it.
setlocal
set "top=%~dp0.."
if exist "%top%\go.mod" goto sources
if exist "%top%\backtester.exe" goto release
for %%p in (backtester.exe) do set "program=%%~$PATH:p"
if defined program goto serve
echo start-dev: there is no backtester.exe in "%top%" or on the PATH 1>&2
exit /b 1

:sources
for %%p in (go.exe) do set "found=%%~$PATH:p"
if not defined found (echo start-dev: Go is needed to build: https://go.dev/dl/ 1>&2 & exit /b 1)
if exist "%top%\frontend\dist\index.html" goto build
for %%p in (npm.cmd) do set "found=%%~$PATH:p"
if not defined found goto plain
pushd "%top%\frontend"
call npm.cmd ci --no-audit --no-fund --loglevel=error
if errorlevel 1 exit /b 1
node build.mjs >nul
if errorlevel 1 exit /b 1
popd
goto build

:plain
echo start-dev: there is no npm to build the web application: the server will show its plain page 1>&2

:build
set "program=%top%\bin\backtester.exe"
set "CGO_ENABLED=0"
pushd "%top%"
go build -trimpath -o "%program%" ./cmd/backtester
if errorlevel 1 exit /b 1
popd
goto serve

:release
set "program=%top%\backtester.exe"

:serve
if not defined FLASK_ENV set "FLASK_ENV=development"
if not defined FLASK_DEBUG set "FLASK_DEBUG=true"
echo start-dev: the web application and the API are at the address that follows; Ctrl-C ends the server 1>&2
"%program%" serve %*
exit /b %errorlevel%
