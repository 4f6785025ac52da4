# The build without cmake, and the one that prebuildify and consumers use. CMakeLists.txt is its twin;
# both read native/sources.txt.
{ "targets": [{
  "target_name": "tracefp",
  "sources": [ "<!@(cat native/sources.txt)" ],
  "include_dirs": [ "native", "<!@(node -p \"require('node-addon-api').include_dir\")" ],
  "defines": [ "NAPI_VERSION=9", "NODE_ADDON_API_DISABLE_DEPRECATED", "NODE_ADDON_API_DISABLE_CPP_EXCEPTIONS",
    "NODE_API_SWALLOW_UNTHROWABLE_EXCEPTIONS" ],
  "cflags_cc!": [ "-std=gnu++14", "-std=gnu++17", "-std=gnu++1y", "-std=gnu++20" ],
  "cflags_cc": [ "-std=c++20", "-fno-exceptions", "-fno-rtti", "-fvisibility=hidden", "-ffunction-sections", "-fdata-sections", "-Wall", "-Wextra", "-Wswitch" ],
  "ldflags": [ "-static-libstdc++", "-Wl,--gc-sections", "-Wl,--exclude-libs,ALL", "-Wl,-z,nodelete" ],
  "conditions": [[ "OS!='linux'", { "type": "none" } ]]
}] }
