// Sidecar: open an export of dicom-sidecar, and save labels made on it.
//
// A toolset of two buttons for ImageJ 1.53t or newer and for Fiji. Put this file into the folder
// macros/toolsets of ImageJ and choose Sidecar behind >> at the end of the toolbar.
//
//   O  opens an export: its PNGs as a virtual stack, in the order, with the names and with the
//      pixel size that its sidecar.json states.
//   S  saves the selections (ROIs) as labels.csv, in pixels whatever the calibration, with the name
//      of the PNG of each and with the export they are of. Then: sidecar map-points labels.csv
//
// What it does not understand it refuses. Mind the habits of this language: == compares texts
// without regard to case, so same() is used; comparisons stand in conditions only, not behind return
// or among arguments; += takes no text of a function of ours; both
// sides of && and || are worked out.

var json = "";  // the document that is being read

macro "Open export Action Tool - C037T3e16O" {
    openExport(File.openDialog("sidecar.json of an export"));
}

macro "Save labels Action Tool - C730T3e16S" {
    path = labelsFile();
    if (File.exists(path)) {
        if (!getBoolean(File.getName(path) + " is there already. Replace it?")) exit();
    }
    saveLabels(path);
}

// Open.

// The PNGs of the export that a sidecar.json describes, in its folder, as a virtual stack.
function openExport(path) {
    requires("1.53t");
    folder = File.getParent(path) + File.separator;
    json = replace(File.openAsString(path), "[\\r\\n]+[ \\t]*", "");  // there is none within texts
    root = members(next(0), newArray("version", "units", "pixel_origin", "source", "images", "evidence"), "the document");
    if (next(valueEnd(next(0))) < lengthOf(json)) refuse("has text after its end");
    if (!matches(text(root[0], "version"), "1\\.[0-9]+"))
        refuse("is of version " + text(root[0], "version") + ", and this macro reads 1; take a newer one");
    if (!same(text(root[2], "pixel_origin"), "center")) refuse("counts pixels in a way that is not known");
    units = text(root[1], "units");
    if (!same(units, "mm") && !same(units, "pixel")) refuse("has units that are not known");
    source = members(root[3], newArray("series_instance_uid"), "source");
    images = members(root[4], newArray("size", "spacing", "tag", "files"), "images");
    size = numbers(images[0], 3, "images.size");
    names = fileNames(images[3], size[2]);
    tag = "";
    if (!isNull(images[2])) tag = text(images[2], "images.tag");
    if (!matches(tag, "([bcdfghjklmnpqrstvwxz]{6})?")) refuse("has an images.tag of a wrong form");
    adopted = true;
    if (isNull(root[5])) adopted = false;
    checkNames(names, tag, adopted);
    series = text(source[0], "source.series_instance_uid");
    for (i = 0; i < names.length; i++)
        if (!File.exists(folder + names[i])) refuse("names " + names[i] + ", which is not in its folder");

    openStack(folder, names, size);
    calibrate(units, images[1], size[2]);
    Property.set("Sidecar folder", folder);
    Property.set("Sidecar tag", tag);
    Property.set("Sidecar series", series);
    Property.set("Sidecar size", "" + size[0] + "x" + size[1]);
}

// A list of files keeps their order; a folder would be sorted anew.
function openStack(folder, names, size) {
    list = getDirectory("temp") + "sidecar-" + d2s(getTime(), 0) + ".txt";
    lines = "";
    for (i = 0; i < names.length; i++) lines += folder + names[i] + "\n";
    File.saveString(lines, list);
    before = nImages;
    run("Stack From List...", "open=[" + list + "] use");
    ok = File.delete(list);
    if (nImages == before) stop("The PNGs in " + folder + " could not be opened.");
    rename(File.getName(folder));
    if (getWidth() != size[0] || getHeight() != size[1] || nSlices != size[2]) {
        close();
        refuse("says that its PNGs are " + size[0] + " x " + size[1] + " x " + size[2] + ", but they have another size");
    }
    for (i = 0; i < names.length; i++) if (!same(pngName(i + 1), names[i])) {
        close();
        stop("The PNGs in " + folder + " did not open by their names; is its path free of unusual letters?");
    }
}

// Millimetres where the document has them for PNG pixels, pixels where not.
function calibrate(units, spacing, slices) {
    run("Properties...", "channels=1 slices=" + slices + " frames=1");
    setVoxelSize(1, 1, 1, "pixel");
    if (!same(units, "mm") || isNull(spacing)) return;
    places = elements(spacing, 3, "images.spacing");
    depth = 1;  // of a single slice nobody asks
    if (!isNull(places[2])) depth = number(places[2], "images.spacing");
    else if (slices > 1) refuse("has no distance between its slices");
    setVoxelSize(number(places[0], "images.spacing"), number(places[1], "images.spacing"), depth, "mm");
}

function fileNames(start, count) {
    places = elements(start, count, "images.files");
    names = newArray(count);
    for (i = 0; i < count; i++) {
        file = members(places[i], newArray("name"), "images.files");
        names[i] = text(file[0], "images.files[].name");
        if (matches(names[i], "\\.{0,2}|.:.*|(?s).*[/\\\\\\x00\\n].*")) refuse("names a file outside of its folder");
    }
    return names;
}

// No PNG is there twice, and those that an export named with its tag are in their places. Adopted
// images are named as they were.
function checkNames(names, tag, adopted) {
    stems = newArray(names.length);
    for (i = 0; i < names.length; i++) {
        stems[i] = replace(toLowerCase(names[i]), "\\.(png|jpe?g|tiff?|bmp|gif|webp)$", "");
        if (lengthOf(tag) > 0 && !adopted && matches(stems[i], ".+_[0-9]{4,}_[bcdfghjklmnpqrstvwxz]{6}")) {
            end = lengthOf(stems[i]) - 7;
            head = substring(stems[i], 0, end);
            if (!same(substring(stems[i], end + 1), tag) || parseInt(substring(head, lastIndexOf(head, "_") + 1)) != i)
                refuse("has " + names[i] + " in the place of another PNG");
        }
    }
    Array.sort(stems);
    for (i = 1; i < stems.length; i++) if (same(stems[i - 1], stems[i])) refuse("names " + stems[i] + " twice");
}

// Save.

// labels.csv in the folder of the export, or where there is none any more, one that is asked for.
function labelsFile() {
    requireExport();
    folder = Property.get("Sidecar folder");
    if (!File.isDirectory(folder)) folder = getDirectory("Folder for labels.csv");
    return folder + "labels.csv";
}

function requireExport() {
    if (nImages == 0) stop("No image is open. Open an export with the button O.");
    size = Property.get("Sidecar size");
    if (lengthOf(size) == 0)
        stop("This image was not opened with the button O, so it is not known which PNGs it shows.\n"
            + "Open the export with it; selections in the ROI Manager can then be saved.");
    if (!same(size, "" + getWidth() + "x" + getHeight()))
        stop("This image is " + getWidth() + " x " + getHeight() + " and the PNGs are "
            + size + ": it was cropped, scaled or turned, so that places on it\n"
            + "are no longer those on the PNGs. Open the export again.");
    if (!is("Virtual Stack"))
        stop("This image is a copy of the PNGs, and may have been changed. Open the export again and\n"
            + "save there; selections in the ROI Manager stay.");
    getDimensions(width, height, channels, slices, frames);
    if (channels * frames > 1)
        stop("The PNGs have become channels or frames: make them slices with Image > Properties.");
}

// All selections as a table in pixels, center: the middle of the first pixel is 0.
function saveLabels(path) {
    requireExport();
    shown = getSliceNumber();
    managed = 0;
    if (isOpen("ROI Manager")) managed = roiManager("count");
    overlaid = Overlay.size;
    if (managed > 0 && overlaid > 0)
        stop("Both the ROI Manager and the overlay hold selections. Put them together with\n"
            + "Image > Overlay > To ROI Manager, or remove those that are not meant.");
    mine = "";
    if (selectionType() >= 0) mine = outline();
    if (managed + overlaid == 0) {
        if (lengthOf(mine) == 0) stop("There is no selection to save.");
        name = Roi.getName;
        rows = rowsOfSelection(name, 1, 0);
        mine = "";
    } else rows = "";
    for (i = 0; i < managed + overlaid; i++) {
        slice = activate(i, managed);
        name = Roi.getName;
        if (managed > 0) name = RoiManager.getName(i);
        if (same(outline(), mine)) mine = "";
        rows = rows + rowsOfSelection(name, i + 1, slice);
    }
    setSlice(shown);
    if (lengthOf(mine) > 0)
        stop("The selection on the image is neither in the ROI Manager nor in the overlay, and would\n"
            + "be left out. Draw it again and add it with t (b for the overlay).");
    writeText("image,label,x,y,shape_id,shape_type,vertex,tag,series_uid\n" + rows, path);
    showStatus("saved " + path);
}

// Makes a selection the one on display. Returns the slice that ImageJ goes to for it, from 1: by its
// position, or by a name like 0002-0010-0030. 0 where it stays where it is, as it would anywhere.
function activate(i, managed) {
    before = getSliceNumber();
    select(i, managed);
    slice = getSliceNumber();
    if (slice != before || nSlices == 1) return slice;
    setSlice(before % nSlices + 1);
    select(i, managed);
    if (getSliceNumber() == before) return before;
    return 0;
}

function select(i, managed) {
    if (managed > 0) roiManager("select", i);
    else Overlay.activateSelection(i);
}

// Kind and place of the selection on display, to know it again.
function outline() {
    getSelectionCoordinates(x, y);
    return "" + selectionType() + " " + String.join(x) + " " + String.join(y);
}

// The rows of the selection on display. Points and lines count from the middle of a pixel (center),
// areas and angles from its corner: ij/gui/Roi.java.
function rowsOfSelection(name, id, slice) {
    type = selectionType();
    shape = Roi.getType;
    called = "The selection " + name + " (" + shape + ") ";
    if (type == 9) stop(called + "has several parts or holes. Take it apart with\nROI Manager > More > Split.");
    if (same(shape, "text") || same(shape, "image")) stop(called + "cannot be a label. Delete it.");
    kinds = newArray("box", "ellipse", "polygon", "polygon", "polygon", "line", "polyline", "polyline", "polyline", "", "point");
    kind = kinds[type];
    getSelectionCoordinates(x, y);
    if (type == 0 && x.length != 4) kind = "polygon";  // rounded corners
    if (type == 1) {
        Roi.getFloatBounds(left, top, width, height);
        x = newArray(left + width / 2, left + width, left + width / 2);
        y = newArray(top + height / 2, top + height / 2, top + height);
    }
    if (type == 5) {
        getLine(x1, y1, x2, y2, thick);
        x = newArray(x1, x2);
        y = newArray(y1, y2);
    }
    shift = 0;
    if (type <= 4 || type == 8) shift = 0.5;
    rows = "";
    for (v = 0; v < x.length; v++)
        rows = rows + cell(pngName(sliceOf(type, v, slice, called))) + "," + cell(name) + "," + d2s(x[v] - shift, 6) + ","
            + d2s(y[v] - shift, 6) + "," + id + "," + kind + "," + v + "," + whose() + "\n";
    return rows;
}

// The slice from 1 of a vertex: the points of a selection have slices of their own.
function sliceOf(type, vertex, slice, called) {
    if (nSlices == 1) return 1;
    own = 0;
    if (type == 10) own = Roi.getPointPosition(vertex);
    if (own > 0) return own;
    if (slice > 0) return slice;
    stop(called + "is on no slice, so it is not known which PNG it is of.\n"
        + "Go to its slice and add it to the ROI Manager (t), or choose Update there.");
}

// Which export the labels are of.
function whose() {
    tag = Property.get("Sidecar tag");
    series = Property.get("Sidecar series");
    return tag + "," + series;
}

// The file name of the PNG of a slice from 1: ImageJ may append more lines.
function pngName(slice) {
    lines = split(Property.getSliceLabel(slice), "\n");
    if (lines.length == 0) stop("Slice " + slice + " has lost the name of its PNG. Open the export again.");
    return lines[0];
}

function cell(content) {
    if (matches(content, "[^,\"\n\r]*")) return content;
    return "\"" + replace(content, "\"", "\"\"") + "\"";
}

// As UTF-8, or not at all: ImageJ writes in the encoding of the system. What was there stays until
// all of it is written.
function writeText(content, path) {
    part = path + ".part";
    File.saveString(content, part);
    bytes = 0;
    for (i = 0; i < lengthOf(content); i++) {
        c = charCodeAt(content, i);
        if (c < 128) bytes += 1;
        else if (c < 2048 || (c >= 55296 && c < 57344)) bytes += 2;  // a pair makes 4
        else bytes += 3;
    }
    if (File.length(part) == bytes) {
        if (File.exists(path)) ok = File.delete(path);
        if (File.rename(part, path)) return;
        stop("The labels are in " + part + ", which could not be renamed.");
    }
    ok = File.delete(part);
    stop("A name holds letters that this ImageJ cannot write as UTF-8. Use plain letters, or start\n"
        + "Java with -Dfile.encoding=UTF-8.");
}

// Every refusal ends here.
function stop(message) {
    exit(message);
}

// JSON: just enough of it. A place is the number of a character of the text.

function refuse(problem) {
    stop("This sidecar.json " + problem + ".");
}

function same(a, b) {
    if (lengthOf(a) != lengthOf(b)) return false;
    if (indexOf(a, b) != 0) return false;
    return true;
}

function code(place) {
    if (place >= lengthOf(json)) refuse("is cut short");
    return charCodeAt(json, place);
}

// The next place that is no white space.
function next(place) {
    while (place < lengthOf(json)) {
        c = charCodeAt(json, place);
        if (c != 32 && c != 10 && c != 13 && c != 9) return place;
        place++;
    }
    return place;
}

function expect(place, character) {
    if (code(place) != charCodeAt(character, 0))
        refuse("is no JSON that this macro understands: no " + character + " before "
            + substring(json, place, minOf(place + 40, lengthOf(json))));
}

// The place of the quotation mark that ends the text which begins at one.
function textEnd(place) {
    expect(place, "\"");
    while (true) {
        place = indexOf(json, "\"", place + 1);
        if (place < 0) refuse("is cut short");
        k = place - 1;
        while (charCodeAt(json, k) == 92) k--;
        if ((place - k) % 2 == 1) return place;
    }
}

// The place behind a value of any kind.
function valueEnd(place) {
    c = code(place);
    if (c == 34) return textEnd(place) + 1;
    if (c != 123 && c != 91) return wordEnd(place);
    depth = 0;
    length = lengthOf(json);
    while (place < length) {
        c = charCodeAt(json, place);
        if (c == 34 || c > 90) {  // most are digits
            if (c == 34) place = textEnd(place);
            else if (c == 123 || c == 91) depth++;
            else if (c == 125 || c == 93) depth--;
            if (depth == 0) return place + 1;
        }
        place++;
    }
    refuse("is cut short");
}

function wordEnd(place) {
    end = place;
    while (end < lengthOf(json)) {
        if (indexOf(",]} \n\r\t", substring(json, end, end + 1)) >= 0) return end;
        end++;
    }
    return end;
}

// Where the values of an object's keys begin, -1 for a key that it has not.
function members(place, keys, what) {
    if (place < 0) refuse("has no " + what);
    found = newArray(keys.length);
    Array.fill(found, -1);
    expect(place, "{");
    place = next(place + 1);
    if (code(place) == 125) return found;
    while (true) {
        end = textEnd(place);
        key = substring(json, place + 1, end);
        place = next(end + 1);
        expect(place, ":");
        place = next(place + 1);
        for (k = 0; k < keys.length; k++) if (same(key, keys[k])) {
            if (found[k] >= 0) refuse("has " + key + " twice");
            found[k] = place;
        }
        place = next(valueEnd(place));
        if (code(place) == 125) return found;
        expect(place, ",");
        place = next(place + 1);
    }
}

// Where the values of a list of so many begin.
function elements(place, count, what) {
    if (place < 0) refuse("has no " + what);
    found = newArray(count);
    expect(place, "[");
    place = next(place + 1);
    for (k = 0; k < count; k++) {
        if (k > 0) { expect(place, ","); place = next(place + 1); }
        if (code(place) == 93) refuse("has fewer " + what + " than it says");
        found[k] = place;
        place = next(valueEnd(place));
    }
    if (code(place) != 93) refuse("has more " + what + " than it says");
    return found;
}

// Also of what is left out.
function isNull(place) {
    if (place < 0) return true;
    word = substring(json, place, wordEnd(place));
    return same(word, "null");
}

function number(place, what) {
    if (place < 0) refuse("has no " + what);
    word = substring(json, place, wordEnd(place));
    if (!matches(word, "-?[0-9]+(\\.[0-9]+)?([eE][-+]?[0-9]+)?")) refuse("has no number in " + what);
    return parseFloat(word);
}

function numbers(place, count, what) {
    places = elements(place, count, what);
    for (k = 0; k < count; k++) places[k] = number(places[k], what);
    return places;
}

function text(place, what) {
    if (place < 0) refuse("has no " + what);
    if (code(place) != 34) refuse("has no text in " + what);
    raw = substring(json, place + 1, textEnd(place));
    if (indexOf(raw, "\\") < 0) return raw;
    made = "";
    for (k = 0; k < lengthOf(raw); k++) {
        letter = substring(raw, k, k + 1);
        if (same(letter, "\\")) {
            k++;
            letter = substring(raw, k, k + 1);
            if (same(letter, "u")) {
                letter = fromCharCode(parseInt(substring(raw, k + 1, k + 5), 16));
                k += 4;
            } else if (indexOf("\"\\/", letter) < 0) refuse("has an escape in " + what + " that this macro does not read");
        }
        made += letter;
    }
    return made;
}
